"""The program's entry: what goes in comes out as an exit code and a message, whatever happens inside."""

import json
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from orchestrator import errors
from orchestrator.cli.lazy import COMMANDS, Verb
from orchestrator.cli.program import READER_LEFT, program, run
from orchestrator.cli.topics import EXIT_CODES

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def explode(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> "type[Explosive]":
    """A command `explode` of the program, that raises what it is given; bugs are reported into tmp_path."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(program, "table", {**COMMANDS, "explode": Verb(module="explode", line="It explodes.")})
    module = ModuleType("orchestrator.cli.explode")

    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def command(as_json: bool) -> None:
        raise Explosive.holds

    module.command = command  # type: ignore[attr-defined]  # a module made by hand has no declared attributes
    monkeypatch.setitem(sys.modules, "orchestrator.cli.explode", module)
    return Explosive


class Explosive:
    """What the command raises."""

    holds: BaseException = RuntimeError()


def every_error() -> list[type[errors.OrchestratorError]]:
    return [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.OrchestratorError)
    ]


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_each_kind_of_error_is_its_exit_code_and_its_own_words(
    explode: type[Explosive], capsys: Capture, kind: type[errors.OrchestratorError]
) -> None:
    explode.holds = kind("the words")
    assert run(["explode"]) == kind.exit_code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "orchestrator: the words\n"


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_each_exit_code_is_in_the_table(kind: type[errors.OrchestratorError]) -> None:
    assert kind.exit_code in [int(line.split()[0]) for line in EXIT_CODES.splitlines()]


def test_with_json_an_error_is_a_document_on_stdout_too(explode: type[Explosive], capsys: Capture) -> None:
    explode.holds = errors.NotFoundError("no such thing")
    assert run(["explode", "--json"]) == 4
    said = capsys.readouterr()
    assert json.loads(said.out) == {
        "schema": "orchestrator.error/1",
        "data": {"exit_code": 4, "message": "no such thing"},
    }
    assert "no such thing" in said.err


def test_a_bug_is_a_file_with_the_traceback_and_a_message_that_names_it(
    explode: type[Explosive], capsys: Capture, tmp_path: Path
) -> None:
    explode.holds = ZeroDivisionError("by zero")
    assert run(["explode"]) == 70
    said = capsys.readouterr().err
    (file,) = tmp_path.glob("orchestrator-bug-*.txt")
    assert str(file) in said
    assert "Traceback" not in said
    assert "ZeroDivisionError: by zero" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_ctrl_c_is_130(explode: type[Explosive], capsys: Capture) -> None:
    explode.holds = KeyboardInterrupt()
    assert run(["explode"]) == 130
    assert capsys.readouterr().err == "orchestrator: interrupted\n"


def test_a_full_disk_is_no_bug(explode: type[Explosive], capsys: Capture) -> None:
    explode.holds = OSError(28, "No space left on device", "/some/file")
    assert run(["explode"]) == 1
    assert "/some/file: No space left on device; make room" in capsys.readouterr().err


def test_an_odd_error_of_the_system_is_a_bug(explode: type[Explosive]) -> None:
    explode.holds = OSError(22, "Invalid argument")
    assert run(["explode"]) == 70


def test_a_reader_that_went_away_is_met_in_silence(explode: type[Explosive], capfd: Capture) -> None:
    explode.holds = BrokenPipeError()
    assert run(["explode"]) == READER_LEFT
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sttus"], "did you mean 'status'?"),
        (["zzzz"], "orchestrator --help"),
        (["status", "--bogus"], "orchestrator status --help"),
        (["show"], "ID"),
        (["--root", "absent-folder", "status"], "absent-folder"),
        (["index", "frobnicate"], "frobnicate"),
        (["status", "-n", "many"], "-n"),
        (["daemon", "--once", "--until-idle"], "not both"),
        (["status", "--watch"], "terminal"),
    ],
)
def test_words_that_are_off_are_2_and_point_to_the_help(arguments: list[str], words: str, capsys: Capture) -> None:
    assert run(arguments) == 2
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""


def test_without_words_the_overview_is_on_stderr(capsys: Capture) -> None:
    assert run([]) == 2
    assert "orchestrator demo" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("name", [*COMMANDS, ""])
def test_help_stands_everywhere_and_begins_with_examples(name: str, flag: str, capsys: Capture) -> None:
    assert run([name, flag] if name else [flag]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Usage: orchestrator")
    assert lines[2].strip().startswith("orchestrator ")


@pytest.mark.parametrize("name", [name for name, verb in COMMANDS.items() if verb.section])
def test_every_command_takes_json(name: str) -> None:
    with click.Context(program) as ctx:
        command = program.get_command(ctx, name)
    assert command is not None
    assert command.name == name
    leaves = command.commands.values() if isinstance(command, click.Group) else [command]
    assert all(any("--json" in parameter.opts for parameter in leaf.params) for leaf in leaves)


def test_the_overview_shows_every_command_but_what_is_hidden(capsys: Capture) -> None:
    run(["--help"])
    shown = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ") and line.split()}
    assert {name for name, verb in COMMANDS.items() if verb.section} <= shown
    assert "hook" not in shown


def test_help_explains_topics_and_commands(capsys: Capture) -> None:
    assert run(["help", "exit-codes"]) == 0
    assert EXIT_CODES in capsys.readouterr().out
    assert run(["help", "submit"]) == 0
    assert "Usage: orchestrator submit" in capsys.readouterr().out
    assert run(["help", "--json"]) == 0
    assert "exit-codes" in json.loads(capsys.readouterr().out)["data"]["text"]
    assert run(["help", "nonsense"]) == 4


def test_version_is_one_line(capsys: Capture) -> None:
    assert run(["version"]) == 0
    assert capsys.readouterr().out.startswith("orchestrator ")
