"""What `init` finds: real programs in a folder of our own, real files of projects, and git."""

import os
import stat
import subprocess
from pathlib import Path

import pytest

from orchestrator.adapters.place import find
from orchestrator.adapters.scan import Around, checks_of, program, repository, tools_found
from orchestrator.config.machine import FoundTool, Readiness, Repository
from orchestrator.core.settings import Tool
from orchestrator.wiring.initialising_scan import look_around


def install(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def found(folder: Path, name: str = "claude", seconds: float = 20, system: str = "linux", **environ: str) -> FoundTool:
    """The tool of that name as a scan finds it, whose programs are in that folder."""
    env = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder)} | environ
    tool = Tool(
        name=name,
        binary=name,
        command=("{binary}",),
        models=("m",),
        capabilities=("edits_files",),
        billing="api",
        version_command=("{binary}", "--version"),
        install="see its page",
    )
    return tools_found({name: (tool, env)}, Around(environ=env, system=system, seconds=seconds))[0]


def test_a_tool_is_found_with_its_version_and_the_names_of_its_keys(tmp_path: Path) -> None:
    file = install(tmp_path, "claude", "echo 2.1.329 '(Claude Code)'")
    tool = found(tmp_path, ANTHROPIC_API_KEY="a value that nobody sees")
    assert (tool.path, tool.version, tool.trouble) == (str(file), "2.1.329", "")
    assert tool.keys == ("ANTHROPIC_API_KEY",)
    assert tool.readiness is Readiness.READY
    assert "a value that nobody sees" not in repr(tool)


def test_a_log_in_that_is_a_file_counts_as_a_key(tmp_path: Path) -> None:
    install(tmp_path, "claude", "echo 2.1.329")
    assert found(tmp_path).readiness is Readiness.NO_KEY
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude/.credentials.json").write_text("{}")
    assert found(tmp_path).readiness is Readiness.READY


def test_on_a_mac_a_log_in_may_be_in_the_keychain(tmp_path: Path) -> None:
    install(tmp_path, "claude", "echo 2.1.329")
    tool = found(tmp_path, system="darwin")
    assert tool.may_be_elsewhere == "the keychain"
    assert tool.readiness is Readiness.READY


VERSIONS = {
    "prints none": ("echo hello", "its answer holds no version"),
    "fails": ("echo 1.2.3; exit 3", "`claude --version` ended with exit code 3"),
    "reads its stdin, which is empty": ("read answer || exit 4", "`claude --version` ended with exit code 4"),
    "prints more than anyone reads": ("yes 1.2.3 | head -c 1000000", ""),
}


@pytest.mark.parametrize(("script", "trouble"), VERSIONS.values(), ids=VERSIONS)
def test_a_tool_is_asked_for_its_version_where_it(script: str, trouble: str, tmp_path: Path) -> None:
    install(tmp_path, "claude", script)
    tool = found(tmp_path, ANTHROPIC_API_KEY="x")
    if trouble:
        assert tool.trouble == trouble
        assert tool.readiness is Readiness.NO_ANSWER


def test_a_tool_that_never_answers_is_left_and_ended(tmp_path: Path) -> None:
    install(tmp_path, "claude", f"echo $$ > {tmp_path}/pid; exec sleep 600")
    tool = found(tmp_path, seconds=1, ANTHROPIC_API_KEY="x")
    assert tool.trouble == "no answer within 1 s"
    assert tool.readiness is Readiness.NO_ANSWER
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_tool_that_is_not_there_is_absent_and_says_how_to_get_it(tmp_path: Path) -> None:
    tool = found(tmp_path, name="claude-that-nobody-has")
    assert (tool.readiness, tool.path, tool.install) == (Readiness.ABSENT, "", "see its page")


def test_a_program_of_the_repository_itself_is_not_taken_for_a_tool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, "claude-here", "echo 1.2.3")
    monkeypatch.chdir(tmp_path)
    assert program("claude-here", f".{os.pathsep}{os.pathsep}") == ""
    assert program("claude-here", str(tmp_path)) == str(tmp_path / "claude-here")


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


PROJECTS = {
    "nothing": ({"README.md": "# x"}, {}),
    "pytest.ini": ({"pytest.ini": ""}, {"tests": ("pytest", "-q")}),
    "pyproject with pytest": ({"pyproject.toml": "[tool.pytest.ini_options]\n"}, {"tests": ("pytest", "-q")}),
    "pyproject without": ({"pyproject.toml": "[project]\nname='x'\n"}, {}),
    "pyproject that is broken": ({"pyproject.toml": "[tool.pytest"}, {}),
    "pyproject whose tool is a text": ({"pyproject.toml": "tool = 'pytest'"}, {}),
    "setup.cfg": ({"setup.cfg": "[tool:pytest]\n"}, {"tests": ("pytest", "-q")}),
    "tests of its usual name": ({"tests/test_a.py": ""}, {"tests": ("pytest", "-q")}),
    "npm": ({"package.json": '{"scripts": {"test": "jest"}}'}, {"tests": ("npm", "test")}),
    "npm as npm init writes it": (
        {"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'},
        {},
    ),
    "npm without scripts": ({"package.json": "{}"}, {}),
    "npm that is a list": ({"package.json": "[1]"}, {}),
    "npm nested without end": ({"package.json": "[" * 100_000}, {}),
    "cargo": ({"Cargo.toml": ""}, {"tests": ("cargo", "test")}),
    "go": ({"go.mod": ""}, {"tests": ("go", "test", "./...")}),
    "make": ({"Makefile": "all:\n\ttrue\ntest: all\n\ttrue\n"}, {"tests": ("make", "test")}),
    "make with a variable of that name": ({"Makefile": "test := 1\ntests:\n"}, {}),
    "make beside pytest": ({"Makefile": "test:\n\tpytest\n", "pytest.ini": ""}, {"tests": ("pytest", "-q")}),
    "two": (
        {"pytest.ini": "", "package.json": '{"scripts": {"test": "jest"}}', "package-lock.json": "{}"},
        {"tests-pytest": ("pytest", "-q"), "tests-npm": ("npm", "test")},
    ),
}


@pytest.mark.parametrize(("files", "checks"), PROJECTS.values(), ids=PROJECTS)
def test_the_checks_of_a_project_are_told_by_its_files(
    files: dict[str, str], checks: dict[str, tuple[str, ...]], tmp_path: Path
) -> None:
    there = checks_of(written(tmp_path, files), {"PATH": ""})
    assert {check.name: check.command for check in there} == checks
    assert not any(check.is_there for check in there)


def test_a_check_whose_program_is_there_is_told_apart(tmp_path: Path) -> None:
    install(tmp_path / "bin", "cargo", "true")
    root = written(tmp_path / "project", {"Cargo.toml": "", "package.json": '{"scripts": {"test": "jest"}}'})
    checks = checks_of(root, {"PATH": str(tmp_path / "bin")})
    assert {check.name: check.is_there for check in checks} == {"tests-npm": False, "tests-cargo": True}


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def test_git_says_what_the_folder_is(tmp_path: Path) -> None:
    assert repository(find(tmp_path, use_git=False)) == Repository(has_git=False, has_commits=False)
    git(tmp_path, "init", "-q", "a")
    assert repository(find(tmp_path / "a")) == Repository(has_commits=False)
    written(tmp_path / "a", {"work/x": ""})
    git(tmp_path / "a", "add", ".")
    git(tmp_path / "a", "commit", "-qm", "x")
    assert repository(find(tmp_path / "a")) == Repository(tracks_work=True)
    git(tmp_path, "init", "-q", "--bare", "b")
    assert repository(find(tmp_path / "b")) == Repository(is_bare=True, has_commits=False)


def test_a_look_around_finds_the_whole_catalogue_and_this_machine(tmp_path: Path) -> None:
    install(tmp_path / "bin", "codex", "echo codex-cli 0.169.0")
    git(tmp_path, "init", "-q", "a")
    path = os.pathsep.join([str(tmp_path / "bin"), os.environ["PATH"]])
    scan = look_around(find(tmp_path / "a"), {"PATH": path, "OPENAI_API_KEY": "x", "HOME": str(tmp_path)})
    codex = scan.tool("codex")
    assert (codex.version, codex.keys, codex.readiness) == ("0.169.0", ("OPENAI_API_KEY",), Readiness.READY)
    assert scan.tools[0].name == "brief"
    assert len(scan.tools) > 8
    assert scan.python
    assert scan.git
