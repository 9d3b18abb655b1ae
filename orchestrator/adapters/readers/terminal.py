"""Tools that print what a person would read: plain text, llm, aider, ollama."""

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from orchestrator.adapters.readers import failures, values
from orchestrator.adapters.readers.printed import Output, plain
from orchestrator.adapters.readers.telling import Reader
from orchestrator.core.pattern import late
from orchestrator.core.types import CostSource, ErrorKind, MicroUsd, Tokens
from orchestrator.core.verdict import Ran, Reported

_LLM_USAGE = late(r"^Token usage: ([\d,]+) input(?:, ([\d,]+) output)?(?:, (\{.*\}))?\s*$", re.MULTILINE)
_OLLAMA_COUNT = late(r"^(prompt )?eval count:\s+(\d{1,12}) token", re.MULTILINE)
_AIDER_TOKENS = late(
    r"Tokens: ([\d.,]+[kM]?) sent(?:, ([\d.,]+[kM]?) cache write)?(?:, ([\d.,]+[kM]?) cache hit)?"
    r"(?:, ([\d.,]+[kM]?) received)?"
)
_AIDER_COST = late(r"Cost: \$([\d.,]{1,20}) message, \$([\d.,]{1,20}) session")
_AIDER_ERROR = late(r"litellm\.(\w*(?:Error|Timeout|Exceeded)\w*)\b")
_AIDER_WORDS = late(r"The API provider|Retrying in |Unable to (?:connect|reach)")
_AIDER_KINDS = {
    "AuthenticationError": ErrorKind.AUTH,
    "PermissionDeniedError": ErrorKind.AUTH,
    "RateLimitError": ErrorKind.RATE_LIMITED,
    "InternalServerError": ErrorKind.OVERLOADED,
    "ServiceUnavailableError": ErrorKind.OVERLOADED,
    "BudgetExceededError": ErrorKind.BUDGET,
}
_SCALES = {"k": 1_000, "M": 1_000_000}
_LONGEST_LINE = 4_000  # characters of a line that are looked at


def read_text(ran: Ran, output: Output, previous: Reported | None) -> Ran:
    """The answer is all that was printed: no terminal codes, newlines as newlines."""
    del previous
    kept = output.text()
    return replace(ran, text=kept.text.strip("\n"), truncated=ran.truncated or not kept.is_whole)


def read_llm(ran: Ran, output: Output, previous: Reported | None) -> Ran:
    """The answer on stdout; with `-u`, its tokens on stderr."""
    ran = read_text(ran, output, previous)
    tokens = None
    if found := list(_LLM_USAGE.finditer(ran.errors)):
        sent, received, details = found[-1].groups()
        cached = values.inner(values.parsed(details or ""), "prompt_tokens_details", "cached_tokens")
        tokens = values.disjoint(
            input_with_cache=values.number(sent.replace(",", "")),
            cache_read=values.number(cached),
            output=values.number((received or "").replace(",", "")),
        )
    ran = replace(ran, tokens=tokens)
    if ran.exit_code == 0 or ran.exit_code is None:
        return ran
    words = failures.complaint(ran.errors)
    kind = failures.of_words(words)
    return replace(ran, failure=kind, problem=words, retry_after=failures.retry_after(words))


def read_ollama(ran: Ran, output: Output, previous: Reported | None) -> Ran:
    """The answer on stdout; with `--verbose`, its tokens on stderr."""
    ran = read_text(ran, output, previous)
    counted = {bool(prompt): int(count) for prompt, count in _OLLAMA_COUNT.findall(ran.errors)}
    return replace(ran, tokens=Tokens(input=counted.get(True, 0), output=counted.get(False, 0)) if counted else None)


def live(line: bytes) -> str:
    """The line itself."""
    return plain(line.decode(errors="replace"))


@dataclass(slots=True, kw_only=True)
class _Chat:
    """What aider's lines have told so far."""

    tokens: Tokens | None = None
    cost: MicroUsd | None = None
    kind: ErrorKind | None = None
    trouble: str = ""  # of a call to the model that no reply follows

    def take(self, line: str) -> None:
        """One more line."""
        if counted := _AIDER_TOKENS.match(line):
            self.kind, self.trouble = None, ""
            self.tokens = values.added((self.tokens or Tokens(), _aider_tokens(counted)))
        if priced := _AIDER_COST.search(line):
            self.cost = values.micro_usd(priced.group(2))
        if failed := _AIDER_ERROR.match(line):
            words = failures.sentence(line)
            self.kind = _AIDER_KINDS.get(failed.group(1)) or failures.of_words(words) or ErrorKind.CRASHED
            self.trouble = words
        elif self.trouble and _AIDER_WORDS.match(line):
            self.trouble = failures.sentence(f"{self.trouble} {line}")


def read_aider(ran: Ran, output: Output, previous: Reported | None) -> Ran:
    """All that was printed; an error of litellm after which no reply came is a failure, whatever the exit code.

    Its figures are rounded (1.2k), and its cost is there for models that it has a price for.
    """
    ran = read_text(ran, output, previous)
    chat = _Chat()
    for line in output.lines():
        chat.take(line[:_LONGEST_LINE])
    ran = replace(
        ran, tokens=chat.tokens, cost=chat.cost, cost_source=CostSource.REPORTED if chat.cost is not None else None
    )
    if chat.kind is None:
        return ran
    return replace(ran, failure=chat.kind, problem=chat.trouble, retry_after=failures.retry_after(chat.trouble))


def _aider_tokens(counted: re.Match[str]) -> Tokens:
    sent, write, hit, received = (_rounded(figure) for figure in counted.groups())
    return values.disjoint(input_with_cache=sent, cache_read=hit, cache_write=write, output=received)


def _rounded(figure: str | None) -> int:
    """A figure as aider writes it: 772, 1.2k, 13k, 1.4M."""
    if not figure:
        return 0
    digits = figure.rstrip("kM").replace(",", "")[:16]
    try:
        return int(Decimal(digits) * _SCALES.get(figure[-1], 1))
    except ArithmeticError:
        return 0


AIDER = Reader(read=read_aider, live=live)
LLM = Reader(read=read_llm, live=live)
OLLAMA = Reader(read=read_ollama, live=live)
TEXT = Reader(read=read_text, live=live)
