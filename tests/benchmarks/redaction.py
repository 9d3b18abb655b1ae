"""How long taking secrets out takes, on ordinary and on hostile text, and whether that grows with the text.

    python tests/benchmarks/redaction.py [--megabytes 10] [--only NAME ...]

Each text is read at a quarter of its size and at its whole one. Aims: the whole takes at most 6 times as long as the
quarter (linear: 4), and no text passes below 0.3 MB/s. `str.count` of one character over the same text in the same run
stands beside it. Exits 1 where an aim is missed.
"""

import argparse
import random
import string
import sys
import time
from collections.abc import Callable
from pathlib import Path

from ground import verdict

from orchestrator.core.redaction import Redactor

SOURCE = Path(__file__).parents[2] / "orchestrator"
KEY = "Zx81kQ-pp" + "+4Wz9Lm2"
MOST_GROWTH, LEAST_SPEED = 6.0, 0.3


def _source() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py")))


def _drawn(size: int) -> str:
    return "".join(random.Random(1).choices(string.ascii_letters + string.digits + "+/", k=size))


# Each is repeated until it is long enough; a function makes one that must not repeat.
TEXTS: dict[str, str | Callable[[int], str]] = {
    "our source": lambda size: (_source() * (size // 1_000_000 + 1))[:size],
    "one random line": _drawn,
    "random lines of 76": lambda size: (
        "\n".join(_drawn(76 * 1000)[at : at + 76] for at in range(0, 76_000, 76)) * (size // 77_000 + 1)
    ),
    "token beginnings": "sk-ant-",
    "token beginnings of many kinds": "sk-ghp_xoxb-AKIAeyJhf_glpat-SG.npm_pypi-A",
    "web token pieces": "eyJabcdefghijklmn.",
    "key names": "password",
    "key names and marks": "password: ",
    "key names and quotes": "api_key='",
    "open quotes": 'token="\\',
    "flags": "--token ",
    "dashes": "-",
    "private keys without end": "-----BEGIN PRIVATE " + "KEY-----\n",
    "private keys with a body": "-----BEGIN PRIVATE " + "KEY-----\n" + "A" * 64 + "\n",
    "addresses": "://a:",
    "addresses with names": "://a:b@",
    "escape sequences": "\x1b[",
    "colours": "\x1b[31mab",
    "torn lines": "aB3dE5gH7jK9mN1pQ3\n",
    "backslashes": "\\",
    "marks": "[redacted:x]",
    "the value itself": KEY,
    "the value torn": KEY[:8] + "\n" + KEY[8:] + " ",
    "its beginnings": KEY[:-1],
    "bearer": "Bearer ",
    "letters of two bytes": "é" * 50 + "token=" + "ü" * 20,
    "blanks": " ",
    "line ends": "\n",
    "base64": "QUJD" * 30 + "\n",
}


def made(name: str, size: int) -> str:
    """That text, of that size."""
    seed = TEXTS[name]
    return (seed(size) if callable(seed) else seed * (size // len(seed) + 1))[:size]


def taken(redactor: Redactor, text: str) -> float:
    """Seconds of the processor: other programs on the machine do not count."""
    began = time.process_time()
    redactor.text(text)
    return time.process_time() - began


def main() -> int:
    """Runs them all."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--megabytes", type=float, default=10)
    arguments.add_argument("--only", nargs="*", choices=sorted(TEXTS), default=sorted(TEXTS))
    given = arguments.parse_args()
    redactor = Redactor({"ACME_KEY": KEY, "OTHER": KEY[::-1]})
    redactor.text("password: x, sk-ant-x")
    size = int(given.megabytes * 1_000_000)
    is_met = True
    print(f"{'text':32} {'s':>8} {'MB/s':>7} {'growth':>7} {'x str.count':>12}")
    for name in given.only:
        text = made(name, size)
        quarter, whole = taken(redactor, text[: size // 4]), taken(redactor, text)
        began = time.process_time()
        text.count("q")
        counted = max(time.process_time() - began, 1e-6)
        growth, speed = whole / max(quarter, 1e-6), size / 1e6 / whole
        met = (verdict(growth, MOST_GROWTH), verdict(speed, LEAST_SPEED, at_least=True))
        is_met = is_met and "MISSED" not in met
        print(f"{name:32} {whole:8.2f} {speed:7.1f} {growth:7.1f} {whole / counted:12.0f}  {' '.join(met)}", flush=True)
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
