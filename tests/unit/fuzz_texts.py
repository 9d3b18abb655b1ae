"""Texts that nobody should have written: configuration and task files by a grammar of our own, mangled, and raw bytes.

Used by the tests with 2,000 of them and by the benchmark with 100,000. What is asked of the program stands in `Judged`.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from hypothesis import strategies as st

from orchestrator import taskfile
from orchestrator.config import ConfigRefused, load
from orchestrator.core.problem import Problem
from orchestrator.core.settings import Settings
from orchestrator.resources import folder
from orchestrator.taskfile.mending import mend
from orchestrator.taskfile.profile import parse as parse_profile
from orchestrator.taskfile.vetting import candidate_at, examine

FILES = ("agents.yaml", "tools.yaml", "models.yaml", "policies.yaml")
TASK, PROFILE = "fuzz-task.yaml", "writer.agent.md"
_KEYS = {
    "agents.yaml": "agents profile aliases manual preferred_tool preferred_model fallback_chain task_types policy",
    "tools.yaml": "tools binary platforms linux command prompt output text tokens input models capabilities workspace "
    "timeout limits memory silence env env_required env_pass options max_parallel rate_limit per_minute billing",
    "models.yaml": "models provider price input_mtok output_mtok tiers above_tokens cost_per_1k_tokens input output "
    "context_window task_suitability aliases",
    "policies.yaml": "policies checks retention trail intake workspaces providers orphan_grace timezone limits period "
    "max_usd type threshold_percent scope agent tool on_exceeded max_parallel retries max backoff on escalation "
    "tasks_may_choose unpriced privacy review daily_budget_usd limit command archive_after mode branch paths copy",
    PROFILE: "name description tools model color",
    TASK: "id agent status title description prompt priority mode task_type artefacts artifacts context files "
    "depends_on dependencies verify budget_usd timeout tool model run created_at created pinned result error summary "
    "metrics tokens kind message assignee objective",
}
_NAMES = "writer claude claude:haiku haiku default tests main tasks/ day hard 10m 2h 64MiB high done brief ../up /abs"
_ODD = [
    "",
    " ",
    "~",
    "null",
    "on",
    "no",
    "true",
    "007",
    "1e308",
    ".nan",
    "-.inf",
    "-3",
    "0",
    "9" * 400,
    "2026-13-45",
    "*star",
    "&anchor",
    "!tag x",
    "a: b",
    "- - -",
    "[",
    "{",
    "}",
    "'",
    '"',
    "|",
    ">-",
    "%",
    "@x",
    "`",
    "#",
    "${HOME}",
    "${NOT_SET_ANYWHERE}",
    "{binary}",
    "{nothing}",
    "\u202e",
    "\x00",
    "\ufeff",
    "\x1b[31m",
    "é" * 90,
    "🎉",
]
_TOKENS = [*_ODD, *_NAMES.split(), "\n", "\n  ", "\n\t", "\r\n", "---\n", "...\n", "<<: *a\n", ": ", ", ", "? "]


def _values(names: str) -> st.SearchStrategy[object]:
    keys = st.sampled_from([*names.split(), *_NAMES.split()[:6]])
    scalars = st.one_of(
        st.sampled_from([*_ODD, *_NAMES.split()]),
        st.integers(-10, 10**12),
        st.floats(),
        st.booleans(),
        st.none(),
        st.text(max_size=12),
    )
    return st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=5)),
        max_leaves=20,
    )


def _written(names: str) -> st.SearchStrategy[bytes]:
    """Well-formed, and of our words: what it says is another matter."""
    first = names.split(maxsplit=1)[0]
    shaped = st.one_of(
        st.dictionaries(st.sampled_from(names.split()), _values(names), max_size=8),
        st.dictionaries(st.sampled_from(_NAMES.split()[:4]), _values(names), max_size=3).map(lambda one: {first: one}),
    )
    return st.tuples(shaped, st.booleans()).map(_emitted)


def _emitted(told: tuple[Mapping[str, object], bool]) -> bytes:
    value, as_flow = told
    return yaml.safe_dump(value, default_flow_style=as_flow, allow_unicode=True).encode("utf-8", "replace")


@cache
def good(name: str) -> bytes:
    """A file of ours that is good."""
    if name == TASK:
        return (Path(__file__).parents[1] / "data" / TASK).read_bytes()
    if name == PROFILE:
        return b"---\nname: Writer Wanda\ndescription: Writes\ntools: [Read, Edit]\n---\n# Who you are\n\nA writer.\n"
    return (folder("config") / name).read_bytes()


@dataclass(frozen=True, slots=True)
class Mangle:
    """So many cuts, copies, swaps and insertions, drawn from a seed: quicker than a strategy for each."""

    seed: int
    cuts: int

    def __call__(self, raw: bytes) -> bytes:
        drawn = random.Random(self.seed)
        for _ in range(self.cuts):
            start = drawn.randrange(len(raw) + 1)
            end = min(len(raw), start + drawn.choice((0, 1, 2, 5, 20, 80)))
            piece = drawn.choice(
                (
                    b"",
                    drawn.choice(_TOKENS).encode("utf-8", "surrogatepass"),
                    raw[drawn.randrange(len(raw) + 1) :][:40],
                    drawn.randbytes(drawn.randrange(4)),
                )
            )
            raw = raw[:start] + piece + raw[end:]
        return raw


def texts(name: str) -> st.SearchStrategy[bytes]:
    """For a file of that name."""
    mangled = st.builds(lambda seed, cuts: Mangle(seed, cuts)(good(name)), st.integers(0, 2**64), st.integers(1, 6))
    return st.one_of(_written(_KEYS[name]), mangled, mangled, st.binary(max_size=300))


CASES: st.SearchStrategy[tuple[str, bytes]] = st.sampled_from([*FILES, PROFILE, TASK, TASK]).flatmap(
    lambda name: texts(name).map(lambda raw: (name, raw))
)


class Judged:
    """Reads a text as the program does, and says what is wrong with how it took it."""

    def __init__(self, scratch: Path) -> None:
        """`scratch`: a folder in which a configuration can lie."""
        self._folder = scratch / "config"
        self._folder.mkdir()
        for name in FILES:
            (self._folder / name).write_bytes(good(name))
        self.settings: Settings = self._load({})

    def faults(self, name: str, raw: bytes) -> list[str]:
        """In sentences; none: it was taken, or refused as it ought to be. Anything else than a refusal comes out."""
        if name == TASK:
            return self._as_task(raw)
        if name == PROFILE:
            profile = parse_profile(raw, path=name)
            return _all_faults((*profile.problems, *profile.faults, *profile.remarks), {name: raw})
        try:
            self._load({name: raw})
        except ConfigRefused as refused:
            return _all_faults(refused.problems, {f"config/{name}": raw}) or _silent(refused.problems)
        return []

    def _as_task(self, raw: bytes) -> list[str]:
        """Read, held against the workspace, and mended."""
        path = f"collaboration/assigned/analyst/{TASK}"
        candidate = candidate_at(path, raw, before=good(TASK))
        assert candidate is not None
        vetted = examine(candidate, self.settings)
        found = _all_faults((*vetted.problems, *vetted.remarks), {path: raw})
        try:
            file = taskfile.parse(raw, name=TASK, path=path)
        except taskfile.TaskFileRefused as refused:
            found += _all_faults(refused.problems, {path: raw}) or _silent(refused.problems)
            file = None
        mended = mend(raw, name=TASK, path=path)
        if mended.left:
            return found + (["changed what it left"] if mended.raw != raw else [])
        task = taskfile.parse(mended.raw, name=TASK, path=path).task  # else it would come out
        return found + (["mended what was good into another task"] if file is not None and task != file.task else [])

    def _load(self, instead: Mapping[str, bytes]) -> Settings:
        return load(
            self._folder, repository=self._folder.parent, environ={"HOME": "/"}, platform="linux", instead=instead
        )


def _all_faults(problems: Iterable[Problem], texts: Mapping[str, bytes]) -> list[str]:
    return [fault for problem in problems for fault in _faults(problem, texts.get(problem.path))]


def _silent(problems: Sequence[Problem]) -> list[str]:
    return [] if problems else ["refused without a reason"]


def _faults(problem: Problem, raw: bytes | None) -> list[str]:
    """`raw`: of the file that it points to; None where that is another one, which says something else now."""
    if raw is None:
        raw = b"\n" * 10_000
    lines = raw.count(b"\n") + raw.count(b"\r") + raw.count(b"\xe2\x80") + raw.count(b"\xc2\x85") + 1
    found = []
    if not problem.message or not problem.path:
        found.append(f"says nothing: {problem}")
    if not problem.hint and not problem.message:
        found.append(f"does not say what to do: {problem}")
    if problem.line == 0 and not _is_of_the_whole(problem):
        found.append(f"has no position: {problem}")
    if problem.line > lines or (problem.line > 0 and problem.column < 1):
        found.append(f"points outside of the file: {problem}")
    return found


def _is_of_the_whole(problem: Problem) -> bool:
    """A file as such can be wrong: its name, its encoding, its size, that something is not in it at all."""
    said = problem.message
    words = (
        "is missing",
        "does not say what to do",
        "holds no fields",
        "cannot be a task's id",
        "is empty",
        "it has no ",
    )
    return any(word in said for word in words) or said.startswith(("not UTF-8", "larger than"))
