"""Fake secrets, drawn and put together when they are needed: no scanner takes this file for a leak."""

import base64
import random
import string

LETTERS_DIGITS = string.ascii_letters + string.digits
WORD = LETTERS_DIGITS + "_-"
HEX = "0123456789abcdef"
CAPITALS = string.ascii_uppercase + string.digits

# Kind: what it is made of. A number draws so many characters of the alphabet in front of it.
RECIPES: dict[str, tuple[object, ...]] = {
    "anthropic": ("sk", "-ant-", "api03-", WORD, 93),
    "openai": ("sk", "-", "proj-", WORD, 100),
    "openai-old": ("sk", "-", LETTERS_DIGITS, 20, "T3Blbk", "FJ", LETTERS_DIGITS, 20),
    "openai-service": ("sk", "-svcacct-", LETTERS_DIGITS, 60),
    "openrouter": ("sk", "-or-v1-", HEX, 64),
    "google": ("AI", "za", LETTERS_DIGITS, 35),
    "google-oauth": ("ya", "29.", LETTERS_DIGITS, 60),
    "google-client": ("GOC", "SPX-", LETTERS_DIGITS, 28),
    "aws-id": ("AK", "IA", CAPITALS, 16),
    "aws-session": ("AS", "IA", CAPITALS, 16),
    "github": ("gh", "p_", LETTERS_DIGITS, 36),
    "github-server": ("gh", "s_", LETTERS_DIGITS, 36),
    "github-fine": ("github", "_pat_", LETTERS_DIGITS, 22, "_", LETTERS_DIGITS, 59),
    "gitlab": ("gl", "pat-", LETTERS_DIGITS, 20),
    "gitlab-runner": ("GR13", "48941", LETTERS_DIGITS, 20),
    "slack": ("xo", "xb-", string.digits, 11, "-", string.digits, 12, "-", LETTERS_DIGITS, 24),
    "slack-app": ("xa", "pp-1-", CAPITALS, 11, "-", string.digits, 12, "-", HEX, 64),
    "npm": ("np", "m_", LETTERS_DIGITS, 36),
    "pypi": ("py", "pi-AgEIcHlwaS5vcmc", LETTERS_DIGITS, 70),
    "stripe": ("sk", "_live_", LETTERS_DIGITS, 24),
    "stripe-restricted": ("rk", "_test_", LETTERS_DIGITS, 24),
    "stripe-webhook": ("wh", "sec_", LETTERS_DIGITS, 32),
    "huggingface": ("h", "f_", LETTERS_DIGITS, 34),
    "twilio": ("S", "K", HEX, 32),
    "sendgrid": ("S", "G.", LETTERS_DIGITS, 22, ".", LETTERS_DIGITS, 43),
    "mailgun": ("ke", "y-", HEX, 32),
    "mailchimp": (HEX, 32, "-u", "s21"),
    "digitalocean": ("do", "p_v1_", HEX, 64),
    "databricks": ("da", "pi", HEX, 32),
    "grafana": ("gl", "sa_", LETTERS_DIGITS, 32, "_", HEX, 8),
    "vault": ("hv", "s.", LETTERS_DIGITS, 24),
    "docker": ("dck", "r_pat_", LETTERS_DIGITS, 27),
    "shopify": ("shp", "at_", HEX, 32),
    "azure-client": (LETTERS_DIGITS, 3, "8", "Q~", LETTERS_DIGITS, 33),
    "telegram": (string.digits, 9, ":A", "A", LETTERS_DIGITS, 33),
    "groq": ("gs", "k_", LETTERS_DIGITS, 52),
    "xai": ("xa", "i-", LETTERS_DIGITS, 80),
    "rubygems": ("ruby", "gems_", HEX, 48),
    "crates": ("ci", "o", LETTERS_DIGITS, 32),
    "linear": ("lin_", "api_", LETTERS_DIGITS, 40),
    "age": ("AGE-SECRET", "-KEY-1", CAPITALS, 58),
    "terraform": (LETTERS_DIGITS, 14, ".atlas", "v1.", LETTERS_DIGITS, 67),
}


def drawn(rng: random.Random, alphabet: str, size: int) -> str:
    """So many characters of it, of which some are letters and some digits, as nearly every real one has them."""
    while True:
        text = "".join(rng.choices(alphabet, k=size))
        if size < 8 or alphabet == string.digits or (not text.isalpha() and not text.isdigit()):
            return text


def made(rng: random.Random, recipe: tuple[object, ...]) -> str:
    """One of that kind."""
    pieces = list(recipe)
    out = []
    for at, piece in enumerate(pieces):
        if isinstance(piece, int):
            out[-1] = drawn(rng, str(pieces[at - 1]), piece)
        else:
            out.append(str(piece))
    return "".join(out)


def every(seed: int, each: int) -> list[tuple[str, str]]:
    """So many of each kind, with JSON web tokens: (kind, secret)."""
    rng = random.Random(seed)
    found = [(kind, made(rng, recipe)) for kind, recipe in RECIPES.items() for _ in range(each)]
    return found + [("jwt", jwt(rng)) for _ in range(each)]


def jwt(rng: random.Random) -> str:
    """Three parts, the first two in JSON."""
    parts = ['{"alg":"HS256","typ":"JWT"}', '{"sub":"' + drawn(rng, LETTERS_DIGITS, 12) + '","iat":1516239022}']
    encoded = [base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, drawn(rng, WORD, 43)])


def private_key(rng: random.Random, kind: str = "RSA ") -> str:
    """A block in PEM."""
    body = base64.b64encode(rng.randbytes(400)).decode()
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {kind}PRIVATE " + "KEY-----", *lines, f"-----END {kind}PRIVATE " + "KEY-----"])
