"""`orchestrator config validate`: everything that is wrong with the configuration, at once."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from orchestrator.cli.call import Call, json_option, pass_call, words
from orchestrator.cli.screen import Paint, plain
from orchestrator.cli.words import count
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.wiring.validating import Validated

_TITLE = "orchestrator config"
_ONE = {
    "files": "file",
    "agents": "agent",
    "tools": "tool",
    "models": "model",
    "policies": "policy",
    "checks": "check",
    "profiles": "profile",
}


@click.command(
    name="validate",
    help=words("""
  orchestrator config validate
  orchestrator config validate --json
  orchestrator config validate --github

Read and check the whole configuration: the files, the profiles, and every name in one that must exist in another. All
that is wrong is told at once, each with its file, line and column and what to write instead: exit code 1. What is only
odd is a warning, and so is a variable that is not set here: they leave the exit code at 0.
"""),
)
@json_option
@click.option("--github", is_flag=True, help="Print annotations that GitHub shows beside the lines of a pull request.")
@pass_call
def command(call: Call, as_json: bool, github: bool) -> int:
    """Validates it."""
    if github and as_json:
        raise UsageError("--json or --github, not both")
    from orchestrator.wiring.validating import validate

    found = validate(call.place())
    code = 0 if found.is_good else 1
    if as_json:
        call.out.envelope("config-validate", _plain(found) | {"exit_code": code})
        return code
    if github:
        _annotate(call, found)
    else:
        _draw(call, found)
    _sum_up(call, found)
    return code


def _annotate(call: Call, found: "Validated") -> None:
    from orchestrator.cli.annotations import annotation

    for problem in found.problems:
        call.out.line(plain(annotation(problem, title=_TITLE)))
    for warning in found.warnings:
        call.out.line(plain(annotation(warning, title=_TITLE, warning=True)))


def _draw(call: Call, found: "Validated") -> None:
    if not found.problems and not found.warnings:
        return
    from orchestrator.cli.task_validate import show_problem

    for problem in found.problems:
        show_problem(call, problem)
    for warning in found.warnings:
        show_problem(call, warning, warning=True)


def _sum_up(call: Call, found: "Validated") -> None:
    if not found.is_good:
        files = len({problem.path for problem in found.problems})
        call.err.line(f"{count(len(found.problems), 'problem')} in {count(files, 'file')}; no daemon starts on this")
        call.err.line("next: edit, and run this again")
        return
    covered = [f"{number:,} {_ONE[what] if number == 1 else what}" for what, number in found.counts.items()]
    good = call.out.paint("Configuration valid", Paint.GOOD)
    call.out.line(f"{good} ({covered[0]}; {', '.join(covered[1:])})")


def _plain(found: "Validated") -> dict[str, object]:
    return {
        "valid": found.is_good,
        "counts": dict(found.counts),
        "problems": [asdict(problem) for problem in found.problems],
        "warnings": [asdict(warning) for warning in found.warnings],
    }
