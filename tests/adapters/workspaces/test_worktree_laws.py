"""Whatever a tool does, nothing of its work is lost, and saying it twice changes nothing."""

import hashlib
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from conftest import House, Once, commit, git, write
from hypothesis import given, settings
from hypothesis import strategies as st

Action = Callable[[Path, str, int], object]


def tried(*arguments: str) -> Action:
    """A git command that may fail; {base} is the commit that the task began on."""

    def act(path: Path, base: str, number: int) -> object:
        command = [argument.format(base=base, number=number) for argument in arguments]
        return subprocess.run(["git", *command], cwd=path, check=False, capture_output=True)

    return act


ACTIONS: dict[str, Action] = {
    "write": lambda path, base, number: write(path, {f"new{number % 3}.txt": f"text {number}\n"}),
    "change": lambda path, base, number: write(path, {"README.md": f"changed {number}\n"}),
    "delete": lambda path, base, number: (path / "src" / "other.py").unlink(missing_ok=True),
    "stage": tried("add", "-A"),
    "commit": lambda path, base, number: (
        write(path, {f"own{number}.txt": "x\n"}), tried("add", "-A")(path, base, number),
        tried("commit", "-q", "-m", "own {number}")(path, base, number),
    ),
    "amend": tried("commit", "-q", "--amend", "-m", "amended {number}"),
    "detach": tried("checkout", "-q", "--detach"),
    "look at the base": tried("checkout", "-q", "{base}"),
    "go below the base": tried("reset", "-q", "--hard", "{base}~1"),
    "take back": tried("reset", "-q", "--soft", "HEAD~1"),
    "branch": tried("switch", "-q", "-c", "tools-{number}"),
    "begin anew": tried("switch", "-q", "--orphan", "orphan-{number}"),
    "merge": tried("merge", "-q", "--no-edit", "side"),
    "delete the branch": tried("update-ref", "-d", "refs/heads/task/T1"),
    "lose .git": lambda path, base, number: (path / ".git").unlink(missing_ok=True),
}  # fmt: skip


def _with_a_side_branch(root: Path) -> None:
    git(root, "init", "-q")
    commit(root, "Begin", {"README.md": "one\n"})
    git(root, "branch", "side")
    commit(root, "Go on", {"src/other.py": "print(2)\n"})
    git(root, "switch", "-q", "side")
    commit(root, "Beside", {"README.md": "two\n"})
    git(root, "switch", "-q", "main")


def test_nothing_is_lost_whatever_the_tool_did(tmp_path: Path) -> None:
    made = Once(tmp_path / "project", _with_a_side_branch)

    @settings(max_examples=12)
    @given(st.lists(st.sampled_from(sorted(ACTIONS)), max_size=7))
    def law(names: list[str]) -> None:
        with tempfile.TemporaryDirectory(prefix="orchestrator-law-") as top:
            check(made, Path(top), names)

    law()


def check(made: Once, top: Path, names: list[str]) -> None:
    """Carries the actions out, and looks for every file and commit afterwards."""
    root = made.copy(top / "project")
    house = House(root)
    house.set(folder=str(top / "worktrees"))
    made = house.prepare()
    path = Path(made.path)
    for number, name in enumerate(names):
        ACTIONS[name](path, made.base, number)
    said = subprocess.run(
        ["git", f"--git-dir={root / '.git' / 'worktrees' / 'T1'}", "rev-parse", "-q", "--verify", "HEAD"],
        cwd=root, check=False, capture_output=True, text=True,
    )  # fmt: skip
    head = said.stdout.strip()
    files = {
        str(file.relative_to(path)): file.read_bytes()
        for file in path.rglob("*")
        if file.is_file() and ".git" not in file.relative_to(path).parts
    }

    shown = house.conclude(made)

    assert house.conclude(made) == shown
    assert shown.head == house.git("rev-parse", "task/T1")
    assert house.git("merge-base", made.base, shown.head) == made.base
    branches = house.git("for-each-ref", "--format=%(refname)", "refs/heads/task/").splitlines()
    trees = {branch: house.git("ls-tree", "-r", branch) for branch in branches}
    if head:
        assert house.git("for-each-ref", f"--contains={head}", "refs/heads/")
    held = [all(f"{blob(content)}\t{name}" in tree for name, content in files.items()) for tree in trees.values()]
    assert any(held), (files, trees)
    assert {name: (path / name).read_bytes() for name in files} == files
    assert shown.kept == ""

    again = house.prepare(base=made.base)
    assert git(path, "symbolic-ref", "HEAD") == "refs/heads/task/T1"
    assert git(path, "status", "--porcelain") == ""
    assert house.conclude(again).head == shown.head
    assert house.port.release(again) == ""
    assert not path.exists()


def blob(content: bytes) -> str:
    """Its id, as git reckons it."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
