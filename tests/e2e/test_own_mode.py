"""A person works in their repository while the daemon does tasks: all is as it would be without it."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from situations import Flow, Workspace, git, make_repository, type_in

HOOK = "{id: tidy, name: tidy, language: system, entry: sed -i s/untidy/tidy/, files: main.py}"
PRE_COMMIT = f"{shlex.quote(sys.executable)} -m pre_commit"
TOPIC = "git checkout -qb topic; echo t > main.py; git commit -qam t; git checkout -q main"
PARTED = f"{TOPIC}; echo m > main.py; git commit -qam m"

DAYS = {
    "edits, stages, commits and amends": [
        "echo a >> main.py; echo new > new.txt; git add new.txt; git commit -qm one",
        "git commit -qam two; git commit -q --amend -m better",
        "echo b >> main.py; git add -A; echo c >> main.py",
    ],
    "rebases": [
        "git checkout -qb topic HEAD~1; echo t > t; git add t; git commit -qm t1; echo u >> t; git commit -qam t2",
        "git rebase -q main",
        "git checkout -q main; git merge -q --ff-only topic",
    ],
    "stops in a rebase with a conflict and goes on": [
        PARTED,
        "git checkout -q topic; git rebase main || true",
        "echo both > main.py; git add main.py; git rebase --continue",
    ],
    "merges, with a conflict too": [
        "git checkout -qb side; echo s > s; git add s; git commit -qm s; git checkout -q main",
        PARTED,
        "git merge -q --no-edit side",
        "git merge topic || true",
        "git add -A; echo both > main.py; git add main.py; git commit -qm merged",
    ],
    "stashes, untracked and ignored files too": [
        "echo a >> main.py; git stash -q; git stash pop -q",
        "echo u > u; git stash -q -u; git stash pop -q",
        "echo '*.log' > .gitignore; echo l > x.log; git stash -q -a",
        "git stash pop -q",
    ],
    "switches branches and cleans": [
        "git checkout -qb other HEAD~1; echo o > o; git add o; git commit -qm o",
        "git checkout -q main; git switch -q --detach HEAD~1; git switch -q main",
        "echo u > u; mkdir d; echo d > d/d; echo '*.log' > .gitignore; echo l > l.log; git clean -qfdx",
    ],
    "collects garbage and repacks": [
        "git gc -q",
        "git repack -qad",
        "echo a >> main.py; git commit -qam a; git gc -q --prune=now",
        "git repack -qad; git prune --expire=now",
    ],
    "has the pre-commit framework": [
        f"echo 'repos: [{{repo: local, hooks: [{HOOK}]}}]' > .pre-commit-config.yaml; git add .; git commit -qm hooks",
        f"{PRE_COMMIT} install",
        "echo untidy >> main.py; echo r >> README.md; git add main.py; git commit -qm x || true",
        "git add main.py; echo more >> main.py; git commit -qm x",
    ],
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A person's repository with a daemon that runs; the configuration is committed."""
    made = Workspace(make_repository(tmp_path / "with" / "repository")).init()
    type_in(made.root, "git add config; git commit -qm Configure", second=5)
    made.daemon()
    yield made
    made.close()


@pytest.fixture
def twin(workspace: Workspace, tmp_path: Path) -> Path:
    """The same repository without us."""
    made = make_repository(tmp_path / "without" / "repository")
    shutil.copytree(workspace.root / "config", made / "config")
    type_in(made, "git add config; git commit -qm Configure", second=5)
    return made


@pytest.mark.parametrize("day", DAYS)
def test_a_person_notices_nothing_while_tasks_are_done(day: str, workspace: Workspace, twin: Path) -> None:
    with Flow(workspace) as flow:
        for number, step in enumerate(DAYS[day], start=1):
            printed = [type_in(folder, step, second=60 * number) for folder in (workspace.root, twin)]
            assert printed[0] == printed[1]
            flow.await_more()
            assert seen(workspace.root) == seen(twin), f"after {step}"
    workspace.wait_done()
    workspace.stop()
    workspace.is_well()
    workspace.ran_once()
    assert seen(workspace.root) == seen(twin)


def seen(folder: Path) -> dict[str, object]:
    """All that a person has: branches with their histories, index, status, stashes, and the files themselves."""
    refs = git(folder, "for-each-ref", "--format=%(refname)").splitlines()
    theirs = [ref for ref in refs if ref != "refs/heads/orchestrator/work"]
    return {
        "status": git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=all"),
        "ignored": [
            line for line in git(folder, "status", "--porcelain", "--ignored").splitlines() if line != "!! work/"
        ],
        "index": git(folder, "ls-files", "-s"),
        "history": {ref: git(folder, "log", "--format=%H %T %s", ref) for ref in theirs},
        "head": (folder / ".git" / "HEAD").read_text(),
        "files": {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted([*folder.glob("*"), *folder.glob("[!.w]*/**/*")])
            if path.is_file()
        },
    }


def test_commits_of_a_person_in_the_work_folder_are_built_upon(workspace: Workspace) -> None:
    notes = []
    with Flow(workspace) as flow:
        for number in range(4):
            note = workspace.work / f"note-{number}.md"
            note.write_text(f"note {number}\n")
            # Between reading HEAD and taking its lock git has a moment in which our commit makes it refuse; whoever is
            # told so commits again.
            commit = f"git commit -qm 'Note {number}' -- {note.name}"
            type_in(workspace.work, f"git add {note.name}; {commit} || {commit} || {commit}", second=number)
            notes.append(note)
            flow.await_more()
    workspace.wait_done()
    workspace.stop()
    workspace.is_well()
    assert all(note.exists() for note in notes)
    told = git(workspace.work, "log", "--format=%s").splitlines()
    assert [line for line in reversed(told) if line.startswith("Note")] == [f"Note {number}" for number in range(4)]
    assert len([line for line in told if line.startswith("task: done ")]) == len(workspace.dropped)


@pytest.mark.parametrize("take_away", ["rm -rf work", "git clean -qffdx"])
def test_a_work_folder_that_is_taken_away_comes_back_and_only_what_was_just_dropped_may_be_lost(
    take_away: str, workspace: Workspace
) -> None:
    # A file that waits in the inbox is on the branch within some two seconds. Until then a person who takes the folder
    # away takes it with the rest.
    for number in range(5):
        workspace.drop(f"before-{number}")
    workspace.wait_done()
    commits = git(workspace.root, "rev-list", "--count", "orchestrator/work")
    type_in(workspace.root, take_away)
    workspace.wait_until(lambda: workspace.inbox.is_dir() and (workspace.work / ".git").exists(), "the folder is back")
    for number in range(5):
        workspace.drop(f"after-{number}")
    workspace.wait_done()
    workspace.stop()
    workspace.is_well()
    workspace.ran_once()
    assert int(git(workspace.root, "rev-list", "--count", "orchestrator/work")) > int(commits)
    assert "config/tools.yaml" in git(workspace.root, "ls-files")


@pytest.mark.parametrize("take_away", ["rm -rf work", "git clean -qffdx"])
def test_a_work_folder_that_is_taken_away_under_load_comes_back_with_every_task_that_was_claimed(
    take_away: str, workspace: Workspace
) -> None:
    tasks = [f"under-{number}" for number in range(12)]
    for task in tasks:
        workspace.drop(task)
    workspace.wait_until(lambda: len(workspace.runs()) >= 3, "some run")
    type_in(workspace.root, f"{take_away} || {take_away} || true")
    workspace.wait_until(lambda: workspace.inbox.is_dir() and (workspace.work / ".git").exists(), "the folder is back")
    workspace.drop("after")
    workspace.wait_done("after")
    workspace.stop()
    claimed = git(workspace.root, "log", "--format=%(trailers:key=Task-Id,valueonly,separator=)", "orchestrator/work")
    workspace.is_well(but=tuple(task for task in tasks if task not in claimed.splitlines()))


def test_a_linked_worktree_of_the_persons_finds_the_same_workspace(workspace: Workspace, tmp_path: Path) -> None:
    git(workspace.root, "worktree", "add", "-q", str(tmp_path / "linked"))
    workspace.submit("from-the-first")
    ended = workspace.well(
        "submit", "--agent", "quick", "--title", "x", "--name", "from-the-linked", at=tmp_path / "linked"
    )
    assert "from-the-linked" in ended.out
    workspace.dropped.append("from-the-linked")
    workspace.wait_done()
    statuses = [workspace.well("status", "--json", at=at).data for at in (workspace.root, tmp_path / "linked")]
    assert statuses[0]["daemon"]["pid"] == statuses[1]["daemon"]["pid"] == workspace.pid
    assert statuses[0]["folders"] == statuses[1]["folders"]
    assert statuses[0]["folders"]["done"] == 2
    workspace.stop()
    workspace.is_well()
    assert git(tmp_path / "linked", "status", "--porcelain") == ""
