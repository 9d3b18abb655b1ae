"""Nothing that a tool writes into its worktree, or into the repository's git folder, is ever run by us."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import House, commit, git, write

from orchestrator.core.types import TaskId
from orchestrator.core.workspace import Foundation

HOOKS = (
    "post-checkout", "pre-commit", "commit-msg", "post-commit", "reference-transaction", "post-index-change",
    "post-merge", "post-rewrite", "prepare-commit-msg",
)  # fmt: skip
Payload = Callable[[House, Path, str], None]


def set_in_repository(*pairs: tuple[str, str]) -> Payload:
    """Configuration of the repository that names a program."""

    def plant(house: House, path: Path, program: str) -> None:
        for key, value in pairs:
            house.git("config", key, value.replace("PROGRAM", program))
        write(path, {".gitattributes": "* filter=bad diff=bad merge=bad\n"})

    return plant


def hooks(house: House, path: Path, program: str) -> None:
    """Every hook there is."""
    folder = house.root / ".git" / "hooks"
    folder.mkdir(exist_ok=True)
    for name in HOOKS:
        (folder / name).write_text(f"#!/bin/sh\n{program}\n")
        (folder / name).chmod(0o755)


def nested(house: House, path: Path, program: str) -> None:
    """A repository in the worktree with its own configuration."""
    for name in ("sub", "src"):
        (path / name).mkdir(exist_ok=True)
        git(path / name, "init", "-q")
        git(path / name, "config", "core.fsmonitor", program)
    commit(path / "sub", "Inside", {"in.txt": "1"})
    write(path, {"sub/in.txt": "2"})


def nested_and_committed(house: House, path: Path, program: str) -> None:
    """The same, as a submodule that the tool committed and then changed."""
    nested(house, path, program)
    git(path / "src", "config", "--unset", "core.fsmonitor")
    git(path, "-c", "core.fsmonitor=false", "add", "sub")
    git(path, "commit", "-q", "-m", "A submodule")
    write(path, {"sub/in.txt": "3"})


def own_git_folder(house: House, path: Path, program: str) -> None:
    """The worktree's .git file replaced by a repository."""
    (path / ".git").unlink()
    git(path, "init", "-q")
    for key in ("core.fsmonitor", "filter.bad.clean", "filter.bad.process"):
        git(path, "config", key, program)
    write(path, {".gitattributes": "* filter=bad\n"})


def worktree_configuration(house: House, path: Path, program: str) -> None:
    """config.worktree in the entry."""
    house.git("config", "extensions.worktreeConfig", "true")
    entry = house.root / ".git" / "worktrees" / "T1"
    (entry / "config.worktree").write_text(
        f'[core]\n\tfsmonitor = "{program}"\n[filter "bad"]\n\tclean = "{program}"\n'
    )
    write(path, {".gitattributes": "* filter=bad\n"})


def entry_led_astray(house: House, path: Path, program: str) -> None:
    """The entry's commondir names a repository of the tool's."""
    astray = path / "build" / "astray"
    astray.mkdir(parents=True)
    git(astray, "init", "-q")
    git(astray, "config", "core.fsmonitor", program)
    entry = house.root / ".git" / "worktrees" / "T1"
    (entry / "commondir").write_text(f"{astray / '.git'}\n")


def included(house: House, path: Path, program: str) -> None:
    """include.path to a file in the worktree."""
    text = f'[core]\n\tfsmonitor = "{program}"\n[filter "bad"]\n\tclean = "{program}"\n\tsmudge = "{program}"\n'
    write(path, {"more.config": text})
    house.git("config", "include.path", str(path / "more.config"))
    write(path, {".gitattributes": "* filter=bad\n"})


def our_own_folder(house: House, path: Path, program: str) -> None:
    """Our own git directory, in the state folder."""
    own = house.root / ".git" / "orchestrator" / "workspaces" / "T1" / "git"
    (own / "hooks").mkdir(exist_ok=True)
    (own / "info").mkdir(exist_ok=True)
    (own / "config").write_text(f'[core]\n\tfsmonitor = "{program}"\n[filter "bad"]\n\tclean = "{program}"\n')
    (own / "info" / "attributes").write_text("* filter=bad\n")


PAYLOADS: dict[str, Payload] = {
    "fsmonitor": set_in_repository(("core.fsmonitor", "PROGRAM")),
    "hooksPath": set_in_repository(("core.hooksPath", "evil-hooks")),
    "clean filter": set_in_repository(("filter.bad.clean", "PROGRAM; cat"), ("filter.bad.smudge", "PROGRAM; cat")),
    "process filter": set_in_repository(("filter.bad.process", "PROGRAM"), ("filter.bad.required", "true")),
    "textconv": set_in_repository(("diff.bad.textconv", "PROGRAM"), ("diff.bad.command", "PROGRAM")),
    "diff.external": set_in_repository(("diff.external", "PROGRAM")),
    "merge driver": set_in_repository(("merge.bad.driver", "PROGRAM")),
    "gpg.program": set_in_repository(("gpg.program", "PROGRAM"), ("commit.gpgSign", "true"), ("user.signingKey", "x")),
    "pager, editor and alias": set_in_repository(
        ("core.pager", "PROGRAM"),
        ("core.editor", "PROGRAM"),
        ("alias.commit-tree", "!PROGRAM"),
        ("core.sshCommand", "PROGRAM"),
    ),
    "credential and trace": set_in_repository(("credential.helper", "!PROGRAM"), ("trailer.bad.command", "PROGRAM")),
    "hooks": hooks,
    "nested": nested,
    "nested and committed": nested_and_committed,
    "own .git folder": own_git_folder,
    "config.worktree": worktree_configuration,
    "commondir": entry_led_astray,
    "include.path": included,
    "our own git directory": our_own_folder,
}


def program(folder: Path, number: int, name: str, proof: Path) -> str:
    """One that notes that it was run, as whose payload, and with what."""
    script = folder / f"payload{number}"
    script.write_text(f"#!/bin/sh\necho '{name}:' $0 $@ >> {proof}\n")
    script.chmod(0o755)
    return str(script)


# Each sets other keys of the repository's configuration, so that none is in another's way: they are planted together.
TOGETHER = (
    "fsmonitor", "hooksPath", "clean filter", "textconv", "diff.external", "merge driver", "gpg.program",
    "pager, editor and alias", "credential and trace",
)  # fmt: skip


@pytest.mark.parametrize(
    "names", [TOGETHER, *((name,) for name in PAYLOADS if name not in TOGETHER)], ids=lambda names: names[-1]
)
def test_no_payload_is_run(house: House, tmp_path: Path, names: tuple[str, ...]) -> None:
    proof = tmp_path / "ran"
    programs = {name: program(tmp_path, number, name, proof) for number, name in enumerate(names)}
    write(house.root, {"evil-hooks/post-checkout": f"#!/bin/sh\n{programs[names[0]]} as a hook\n"})
    (house.root / "evil-hooks" / "post-checkout").chmod(0o755)
    made = house.prepare()
    path = Path(made.path)
    write(path, {"work.txt": "work", "src/main.py": "changed\n"})
    for name in names:
        PAYLOADS[name](house, path, programs[name])
    proof.unlink(missing_ok=True)  # what the planting itself set off

    shown = house.conclude(made, "work.txt")
    assert "work.txt" in shown.changed
    assert shown.missing == ()
    house.prepare()
    house.conclude(made)
    house.port.release(made)
    # The next task, in the same repository, whose base brings the payload's attributes along.
    after = house.prepare("T2", Foundation(task_id=TaskId("T1"), commit=shown.head))
    write(Path(after.path), {"work.txt": "more"})
    assert house.conclude(after).commits == 1
    house.port.release(after)
    assert not proof.exists(), proof.read_text()


@pytest.mark.parametrize(
    "name",
    [
        "fsmonitor", "clean filter", "process filter", "hooks", "nested and committed", "own .git folder",
        "config.worktree", "commondir", "include.path",
    ],
)  # fmt: skip
def test_the_payloads_are_live(house: House, tmp_path: Path, name: str) -> None:
    proof = tmp_path / "ran"
    script = program(tmp_path, 0, name, proof)
    path = Path(house.prepare().path)
    write(path, {"work.txt": "work"})
    PAYLOADS[name](house, path, script)
    proof.unlink(missing_ok=True)
    for command in (["status"], ["add", "-A"], ["commit", "-m", "x"]):
        subprocess.run(["git", *command], cwd=path, check=False, capture_output=True)
    assert proof.exists()


def test_rules_of_what_is_ignored_that_the_tool_made_outside_the_tree_hide_nothing(
    house: House, hermetic: Path
) -> None:
    made = house.prepare()
    write(house.root / ".git", {"info/exclude": "*\n"})
    write(hermetic, {".config/git/ignore": "*\n"})
    write(Path(made.path), {"work.txt": "x", "a.log": "ignored by the tree's own .gitignore"})
    assert house.conclude(made).changed == ("work.txt",)


def test_an_index_that_hides_changes_hides_nothing(house: House) -> None:
    made = house.prepare()
    path = Path(made.path)
    git(path, "update-index", "--assume-unchanged", "README.md")
    git(path, "update-index", "--skip-worktree", "src/main.py")
    write(path, {"README.md": "changed", "src/main.py": "changed"})
    assert house.conclude(made).changed == ("README.md", "src/main.py")
