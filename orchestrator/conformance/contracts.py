"""What the reader of each known program expects of it: scenarios, and what must come of them.

The figures and endings were measured with the versions that the catalogue names (docs/how-to/test-with-real-tools.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orchestrator.conformance.pointing import Family
from orchestrator.core.types import CostSource, ErrorKind, Tokens
from orchestrator.core.verdict import Ran

OUTSIDE = "{outside}"  # in a script: a folder that the tool may not write to
WRITTEN = "notes.md"  # what scenarios have written


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What must come of a scenario. Empty: it does not matter."""

    failure: ErrorKind | None = None
    text: str = ""
    problem: str = ""  # within what the tool says went wrong
    tokens: Tokens | None = None
    cost: bool = False
    session: bool = False
    denial: str = ""  # within what it was not permitted
    writes: bool = False  # the file of the script is in the folder

    def __str__(self) -> str:
        """In words."""
        said = [
            f"failure {self.failure}" if self.failure else "no failure",
            f"text {self.text!r}" if self.text else "",
            f"problem with {self.problem!r}" if self.problem else "",
            f"tokens {_figures(self.tokens)}" if self.tokens else "",
            "a reported cost" if self.cost else "",
            "a session" if self.session else "",
            f"denied {self.denial}" if self.denial else "",
            "the file written" if self.writes else "",
        ]
        return ", ".join(word for word in said if word)

    def departures(self, ran: Ran, *, written: bool) -> list[str]:
        """Where a run is otherwise."""
        problem = ran.problem or ran.errors
        told = [
            (ran.failure == self.failure, f"failure {ran.failure}" + (f" ({problem[-200:]!r})" if problem else "")),
            (not self.text or self.text in ran.text, f"text {ran.text[:200]!r}"),
            (self.problem in problem, f"problem {problem[-200:]!r}"),
            (self.tokens is None or ran.tokens == self.tokens, f"tokens {_figures(ran.tokens)}"),
            (not self.cost or (bool(ran.cost) and ran.cost_source is CostSource.REPORTED), f"cost {ran.cost}"),
            (not self.session or bool(ran.session_id), "no session"),
            (any(self.denial in denial for denial in ran.denials or ("",)), f"denials {list(ran.denials)}"),
            (bool(self.denial) or not ran.denials, f"denials {list(ran.denials)}"),
            (not self.writes or written, "the file is not there"),
        ]
        return [words for holds, words in told if not holds]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A prompt for the model API, and what must come of it."""

    name: str
    script: str
    expected: Expected
    options: Mapping[str, str] = field(default_factory=dict)  # the stanza's own, otherwise; it must have them
    budget_usd: str = ""  # the cap given to the tool; where there is one, its command must take it


def _figures(tokens: Tokens | None) -> str:
    if tokens is None:
        return "none"
    return f"{tokens.input} in, {tokens.cache_read} read, {tokens.cache_write} written, {tokens.output} out"


_USAGE = "STUB:USAGE input=1000 output=200 cache_read=300 cache_write=40\n"
_ONE_TURN = Tokens(input=1000, output=200, cache_read=300, cache_write=40)
_ANSWER = Scenario(
    name="answer",
    script=f"{_USAGE}STUB:TEXT the answer is 42",
    expected=Expected(text="the answer is 42", tokens=_ONE_TURN, session=True),
)
_PLAIN = Scenario(name="answer", script="STUB:TEXT the answer is 42", expected=Expected(text="the answer is 42"))
_WORK = Scenario(
    name="work",
    script=f"STUB:WRITE {WRITTEN} hello\nSTUB:TEXT written",
    expected=Expected(text="written", tokens=Tokens(input=2000, output=400), session=True, writes=True),
)


def _failing(status: int, kind: ErrorKind, problem: str = "") -> Scenario:
    return Scenario(
        name=f"HTTP {status}",
        script=f"STUB:STATUS {status}",
        expected=Expected(failure=kind, problem=problem or str(status)),
    )


_CLAUDE = (
    replace(_ANSWER, expected=replace(_ANSWER.expected, cost=True)),
    _WORK,
    Scenario(
        name="denied",
        script=f"STUB:WRITE {OUTSIDE}/{WRITTEN} hello\nSTUB:TEXT I could not",
        expected=Expected(text="I could not", denial="Write"),
        options={"permission_mode": "acceptEdits"},
    ),
    Scenario(
        name="cap on turns",
        script="STUB:LOOP",
        expected=Expected(failure=ErrorKind.BUDGET, problem="turns", cost=True),
        options={"max_turns": "2"},
    ),
    Scenario(
        name="cap on money",
        script="STUB:USAGE input=20000\nSTUB:LOOP",
        expected=Expected(failure=ErrorKind.BUDGET, problem="budget", cost=True),
        budget_usd="0.05",
    ),
    _failing(400, ErrorKind.CRASHED),
    _failing(401, ErrorKind.AUTH),
    _failing(429, ErrorKind.RATE_LIMITED),
    _failing(529, ErrorKind.OVERLOADED),
)
_CODEX = (
    _ANSWER,
    _WORK,
    _failing(400, ErrorKind.CRASHED),
    _failing(401, ErrorKind.AUTH),
    _failing(429, ErrorKind.RATE_LIMITED),
    _failing(500, ErrorKind.OVERLOADED, "high demand"),
)
SCENARIOS: Mapping[Family, tuple[Scenario, ...]] = {
    Family.CLAUDE: _CLAUDE,
    Family.CODEX: _CODEX,
    Family.GEMINI: (_PLAIN, _failing(400, ErrorKind.CRASHED)),
    Family.OPENCODE: (_PLAIN,),  # it retries a failing API for ever
    Family.COPILOT: (_PLAIN, _failing(400, ErrorKind.CRASHED)),
    Family.LLM: (_PLAIN, _failing(400, ErrorKind.CRASHED)),
    Family.AIDER: (_PLAIN, _failing(400, ErrorKind.CRASHED)),
}
