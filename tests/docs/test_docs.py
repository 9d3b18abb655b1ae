"""The documentation is true: its commands run, its examples parse, its links lead somewhere.

In a ```console block a line `$ ...` is run by bash at the top of a throw-away workspace, one workspace a page, and
`> ...` goes on with the line before. `# exit 5` above says how it ends where that is not 0, and `# exact` that what
stands below is all that it prints. A block without `$ orchestrator` or `$ git` is left alone.
A ```yaml block is read where its first line is `# task NAME.yaml` or `# config/NAME.yaml`.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import pytest

from orchestrator import taskfile
from orchestrator.cli.lazy import COMMANDS
from orchestrator.cli.program import run as program
from orchestrator.config import load
from orchestrator.core.agents import Unknown, resolve
from orchestrator.resources import folder

TOP = Path(__file__).parents[2]
PAGES = sorted(
    [*(TOP / "docs").rglob("*.md"), *(page for page in (TOP / "README.md", TOP / "CHANGELOG.md") if page.exists())]
)
NAMES = [str(page.relative_to(TOP)) for page in PAGES]
SECONDS = 60
_BLOCK = re.compile(r"^( *)```(\w+)[^\n]*\n(.*?)^\1```[ ]*$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]\n]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
_NAMED = re.compile(r"\bdocs/(?:tutorial|how-to|reference|explanation)/[\w./-]+\.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of a page, and what the page says of it."""

    page: str
    command: str
    exit_code: int = 0
    exact: bool = False
    shown: str = ""


def blocks(text: str, kind: str) -> list[str]:
    """The blocks of that kind in a page, in order."""
    return [body for _, named, body in _BLOCK.findall(text) if named == kind]


def steps(page: str, block: str) -> list[Step]:
    """The commands of one console block."""
    found: list[Step] = []
    code, exact = 0, False
    for line in block.splitlines():
        if said := re.fullmatch(r"# exit (\d+)", line):
            code = int(said[1])
        elif line == "# exact":
            exact = True
        elif line.startswith("$ "):
            found.append(Step(page=page, command=line[2:], exit_code=code, exact=exact))
            code, exact = 0, False
        else:
            assert found, f"{page}: {line!r} stands before any command"
            last = found.pop()
            if line.startswith("> ") and not last.shown:
                last = Step(
                    page=page, command=f"{last.command}\n{line[2:]}", exit_code=last.exit_code, exact=last.exact
                )
            else:
                last = Step(
                    page=page,
                    command=last.command,
                    exit_code=last.exit_code,
                    exact=last.exact,
                    shown=f"{last.shown}{line}\n",
                )
            found.append(last)
    return found


def steps_of(name: str) -> list[Step]:
    """The commands of a page that are to be run."""
    run: list[Step] = []
    for block in blocks((TOP / name).read_text(encoding="utf-8"), "console"):
        if "$ orchestrator" in block or "$ git" in block:
            run += steps(name, block)
    return run


@pytest.fixture
def path_with_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`orchestrator` is this checkout's, run by this Python."""
    program = tmp_path / "bin" / "orchestrator"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -P -m orchestrator "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv(
        "PATH", os.pathsep.join([str(program.parent), str(Path(sys.executable).parent), os.environ["PATH"]])
    )
    monkeypatch.setenv("PYTHONPATH", str(TOP))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    return program


@pytest.fixture
def workspace(tmp_path: Path, path_with_program: Path) -> Path:
    """A repository with a commit, made a workspace in own mode, its configuration committed."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "README.md").write_text("# A project\n")
    assert path_with_program.is_file()
    made = subprocess.run(
        "git init -q -b main && orchestrator init && git add -A && git commit -q -m begin",
        shell=True, cwd=root, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    return root


def run(step: Step, root: Path) -> str:
    """What the command says on both streams; it must end as the page says."""
    ended = subprocess.run(
        ["bash", "-c", step.command], cwd=root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    code = ended.returncode if ended.returncode >= 0 else 128 - ended.returncode  # as a shell shows a signal
    assert code == step.exit_code, f"{step.page}: $ {step.command}\n{ended.stdout}"
    return ended.stdout


@pytest.mark.parametrize("name", [name for name in NAMES if steps_of(name)])
def test_the_commands_of_a_page_run_and_end_as_it_says(name: str, workspace: Path) -> None:
    for step in steps_of(name):
        said = run(step, workspace)
        if step.exact:
            assert said.rstrip() == step.shown.rstrip(), f"{name}: $ {step.command}"


def test_a_page_with_a_wrong_exit_code_or_output_is_noticed(workspace: Path) -> None:
    ended, shown = steps("made up", "# exit 4\n$ orchestrator show nobody\n# exact\n$ cat <<'END'\n> one\n> END\none\n")
    assert "nobody" in run(ended, workspace)
    assert run(shown, workspace) == shown.shown == "one\n"
    with pytest.raises(AssertionError, match="made up"):
        run(Step(page="made up", command="orchestrator show nobody"), workspace)


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#{1,6} +(.+?) *#*$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", NAMES)
def test_every_link_of_a_page_leads_somewhere(name: str) -> None:
    page = TOP / name
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    broken = []
    for link in _LINK.findall(re.sub(r"`[^`\n]*`", "", text)):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (page.parent / unquote(path)).resolve() if path else page
        is_there = target.exists() and TOP in (target, *target.parents)
        if not is_there or (anchor and target.suffix == ".md" and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_that_the_program_and_its_configuration_name_exists() -> None:
    sources = [*(TOP / "orchestrator").rglob("*.py"), *(TOP / "config").glob("*.yaml"), TOP / "work/README.md", *PAGES]
    named = {found for source in sources for found in _NAMED.findall(source.read_text(encoding="utf-8"))}
    assert named
    assert sorted(path for path in named if not (TOP / path).exists()) == []


def test_the_index_of_the_documentation_names_every_page() -> None:
    index = TOP / "docs" / "index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in _LINK.findall(index.read_text("utf-8"))}
    pages = {page for page in PAGES if (TOP / "docs") in page.parents and page != index}
    assert sorted(str(page.relative_to(TOP)) for page in pages - linked) == []


@pytest.mark.parametrize("name", [*(name for name, verb in COMMANDS.items() if verb.section), "index rebuild"])
def test_every_command_has_a_help_and_is_in_the_reference(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = program([*name.split(), "--help"])
    assert code == 0
    assert f"orchestrator {name}" in capsys.readouterr().out
    assert f"`orchestrator {name}`" in (TOP / "docs/reference/commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_the_task_and_configuration_examples_of_a_page_are_read(name: str, tmp_path: Path) -> None:
    config = tmp_path / "config"
    shutil.copytree(folder("config"), config)
    for block in blocks((TOP / name).read_text(encoding="utf-8"), "yaml"):
        head, _, rest = block.partition("\n")
        if said := re.fullmatch(r"# task ([\w.-]+\.ya?ml)", head):
            task = taskfile.parse(rest.encode(), name=said[1]).task
            agents = load(folder("config"), repository=tmp_path, environ={}, platform="linux").agents
            assert not isinstance(resolve(task.agent, agents), Unknown), f"{name}: {said[1]}: agent {task.agent}"
        elif said := re.fullmatch(r"# config/([a-z]+\.yaml)", head):
            (config / said[1]).write_text(rest, encoding="utf-8")
            load(config, repository=tmp_path, environ={}, platform="linux")
        else:
            assert not head.startswith(("# task", "# config/")), f"{name}: {head!r} is not read by this test"
