"""The refusal of a configuration: every problem of all its files at once."""

from collections.abc import Iterable

from orchestrator.core.problem import Problem, render
from orchestrator.errors import ConfigRefusedError


class ConfigRefused(ConfigRefusedError):  # noqa: N818  # the name that the daemon and the documents use; its base ends in Error
    """The configuration cannot be used. `problems` is sorted by file and position; `str()` is all of them, drawn."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.path, problem.line, problem.column)))
        super().__init__("\n".join(render(problem) for problem in self.problems))
