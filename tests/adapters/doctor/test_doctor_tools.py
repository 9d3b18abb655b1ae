"""Tools and their credentials, as doctor sees them: real programs in tmp_path."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.adapters.doctor import credentials, tools
from orchestrator.adapters.doctor.asking import MOST, ask
from orchestrator.core.finding import Finding, Mark
from orchestrator.core.settings import Tool

SECRET = "sk-do-not-show-me-123.456.789"  # holds what looks like a version


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def tool(**more: object) -> Tool:
    made = Tool(name="mine", binary="mine", command=("{binary}",), version_command=("{binary}", "--version"))
    return replace(made, **more)  # type: ignore[arg-type]  # fields of Tool


def examine(tmp_path: Path, one: Tool, *, environ: dict[str, str] | None = None, **env: str) -> dict[str, Finding]:
    given = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", **env}
    around = tools.Surroundings(environ=environ or given, folder=tmp_path, seconds=20)
    found = list(tools.examine(one, env=given, agents=("writer",), around=around))
    assert SECRET not in repr(found)
    return {finding.what.removeprefix("mine: "): finding for finding in found}


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1]


@pytest.mark.parametrize(
    ("version", "tested", "how"),
    [
        ("2.1.329", ("2.1.329",), "tested"),
        ("2.1.329", ("2.1.197", "2.1.329"), "tested"),
        ("2.1.330", ("2.1.329",), "newer"),
        ("2.10.0", ("2.9.9",), "newer"),
        ("1.9", ("2.0", "3.0"), "older"),
        ("2.5", ("2.0", "3.0"), "other"),
        ("1.0", (), ""),
        ("0.169.0", ("codex-cli 0.169.0",), "tested"),
    ],
)
def test_a_version_is_compared_by_its_numbers(version: str, tested: tuple[str, ...], how: str) -> None:
    assert tools.compare(version, tested) == how


def test_a_tool_is_found_and_tells_its_version(tmp_path: Path) -> None:
    where = program(tmp_path / "bin", "mine", '[ "$1" = --version ] && echo "mine-cli v1.2.3 (build)"')
    found = examine(tmp_path, tool(tested_versions=("1.2.3",)))
    assert found["mine"].found == f"{where}; used by writer"
    assert found["version"] == Finding(
        topic="tools", what="mine: version", mark=Mark.OK, found="1.2.3: its output is known"
    )
    newer = examine(tmp_path, tool(tested_versions=("1.2.2",)))["version"]
    assert newer.mark is Mark.WARNING
    assert "newer than what was tested (1.2.2)" in newer.found
    assert newer.todo.endswith("orchestrator doctor --conformance mine")


def test_of_what_a_program_prints_only_a_version_number_is_shown(tmp_path: Path) -> None:
    program(tmp_path / "bin", "mine", f"echo {SECRET}-x; echo {SECRET} >&2; exit 3")
    found = examine(tmp_path, tool())
    assert found["version"].mark is Mark.WARNING
    assert "exit code 3" in found["version"].found
    program(tmp_path / "bin", "mine", f"echo {SECRET} v7.8 {SECRET}")
    assert examine(tmp_path, tool())["version"].found == "7.8; its stanza names no tested version"
    program(tmp_path / "bin", "mine", "echo ready")
    assert "holds no version" in examine(tmp_path, tool())["version"].found


def test_a_program_sees_its_own_environment_and_no_stdin(tmp_path: Path) -> None:
    program(tmp_path / "bin", "mine", 'cat; [ -z "$HIDDEN" ] && [ "$SHOWN" = yes ] && echo 4.5.6')
    environ = {"HIDDEN": "1", "SHOWN": "yes"}
    assert examine(tmp_path, tool(), environ=environ, SHOWN="yes")["version"].found.startswith("4.5.6")


def test_a_missing_tool_is_a_warning_with_the_way_to_get_it(tmp_path: Path) -> None:
    found = examine(tmp_path, tool(install="pip install mine", env_missing=("MY_KEY",)))
    assert found["mine"].mark is Mark.WARNING
    assert "not found on PATH; used by writer" in found["mine"].found
    assert found["mine"].todo == "pip install mine"
    assert found["variables"].found == "not set: MY_KEY"
    assert "version" not in found
    assert examine(tmp_path, tool(binary=""))["mine"].found.startswith("names no program for this system")
    assert "no such program there" in examine(tmp_path, tool(binary=str(tmp_path / "no")))["mine"].found


def test_a_program_that_does_not_answer_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    file = program(tmp_path, "hangs", f"trap '' TERM INT; sleep 600 & echo $! > {tmp_path / 'pid'}; echo $$ 1.2; wait")
    answer = ask((str(file),), env=dict(os.environ), folder=tmp_path, seconds=1.0)
    assert answer.late
    assert answer.code is None
    child, deadline = int((tmp_path / "pid").read_text()), time.monotonic() + 20
    while alive(child):
        assert time.monotonic() < deadline, "the child of the program still runs"
        time.sleep(0.01)
    assert not alive(int(answer.text.split()[0]))


def test_a_program_that_never_stops_talking_is_cut_short(tmp_path: Path) -> None:
    answer = ask(("yes", SECRET), env=dict(os.environ), folder=tmp_path, seconds=1.0)
    assert len(answer.text) == MOST


def test_a_program_that_leaves_something_behind_with_its_output_open_is_not_waited_for(tmp_path: Path) -> None:
    file = program(tmp_path, "forks", f"sleep 600 & echo $! > {tmp_path / 'pid'}; echo 1.2.3")
    answer = ask((str(file),), env=dict(os.environ), folder=tmp_path, seconds=0.5)
    assert answer.text == "1.2.3\n"
    deadline = time.monotonic() + 20
    while alive(int((tmp_path / "pid").read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_cannot_be_started_is_told(tmp_path: Path) -> None:
    assert ask((str(tmp_path / "none"),), env={}, folder=tmp_path, seconds=1).refused == "No such file or directory"
    assert "null" in ask(("a\0b",), env={}, folder=tmp_path, seconds=1).refused
    (tmp_path / "text").write_text("no program")
    (tmp_path / "text").chmod(0o755)
    assert ask((str(tmp_path / "text"),), env={}, folder=tmp_path, seconds=1).refused == "Exec format error"


def test_credentials_are_told_by_name_and_never_shown(tmp_path: Path) -> None:
    program(tmp_path / "bin", "claude", "echo 2.1.329")
    home = tmp_path / "home"
    (home / ".claude").mkdir(parents=True)
    claude = tool(binary="claude")
    assert "none where it usually looks" in examine(tmp_path, claude, HOME=str(home))["credentials"].found
    assert "env_pass: [HOME]" in examine(tmp_path, claude)["credentials"].found
    (home / ".claude" / ".credentials.json").write_text(SECRET)
    there = examine(tmp_path, claude, HOME=str(home), ANTHROPIC_API_KEY=SECRET)["credentials"]
    assert there.mark is Mark.OK
    assert there.found == f"there: ANTHROPIC_API_KEY, {home}/.claude/.credentials.json"


def test_a_key_that_is_set_and_does_not_reach_the_tool_is_pointed_out(tmp_path: Path) -> None:
    program(tmp_path / "bin", "codex", "echo 1")
    found = examine(tmp_path, tool(binary="codex"), environ={"OPENAI_API_KEY": SECRET}, OPENAI_API_KEY="")
    assert found["credentials"].found == "set here, and not passed to it: OPENAI_API_KEY"
    assert "env_pass" in found["credentials"].todo


def test_the_folder_of_credentials_may_be_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "auth.json").write_text(SECRET)
    seen = credentials.look("codex", {"CODEX_HOME": str(tmp_path / "moved")}, {})
    assert seen is not None
    assert seen.there == (f"{tmp_path}/moved/auth.json",)
    assert credentials.look("my-own-tool", {}, {}) is None


def test_the_keychain_is_named_only_where_there_is_one() -> None:
    mac, linux = (credentials.look("claude", {}, {}, platform) for platform in ("darwin", "linux"))
    assert mac is not None
    assert linux is not None
    assert (mac.elsewhere, linux.elsewhere) == ("the keychain", "")
