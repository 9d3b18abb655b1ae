"""A task file that is committed is dropped, once: by a daemon that watches the branch, by hooks, on a server."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from situations import POLICIES, Workspace, git, make_repository, text_of, type_in

HOOKS = Path(__file__).parents[2] / "hooks"
INTAKE = "intake: {branch: main, paths: [tasks/]}\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A person's repository that takes in what is committed in tasks/ on main."""
    root = make_repository(tmp_path / "repository")
    made = Workspace(root).init(trail=INTAKE)
    type_in(root, "git add config; git commit -qm Configure", second=5)
    yield made
    made.close()


def install_hooks(repository: Path, tmp_path: Path, *names: str) -> None:
    """Copies them, as a person would, and names the program to them."""
    git_dir = Path(git(repository, "rev-parse", "--path-format=absolute", "--git-common-dir"))
    for name in names:
        shutil.copy2(HOOKS / name, git_dir / "hooks" / name)
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m orchestrator "$@"\n')
    program.chmod(0o755)
    git(repository, "config", "orchestrator.program", str(program))


def commit_task(folder: Path, task: str, second: int = 100) -> None:
    """A person writes a task file and commits it."""
    (folder / "tasks").mkdir(exist_ok=True)
    (folder / "tasks" / f"{task}.yaml").write_text(text_of(task))
    type_in(folder, f"git add tasks/{task}.yaml; git commit -qm 'Ask for {task}'", second=second)


def all_ran_once(workspace: Workspace, *tasks: str) -> None:
    """These were done, and no other; nothing of the person's was touched."""
    workspace.dropped += tasks
    workspace.wait_done()
    workspace.drop("last")
    workspace.wait_done()
    workspace.stop()
    workspace.daemon("--until-idle")  # nor does a new daemon take anything in again
    workspace.is_well()
    assert sorted(workspace.runs()) == sorted([*tasks, "last"])
    assert git(workspace.root, "status", "--porcelain") == ""


def test_a_task_on_a_topic_is_done_once_when_it_is_merged(workspace: Workspace) -> None:
    workspace.daemon()
    type_in(workspace.root, "git checkout -qb topic")
    commit_task(workspace.root, "one", 101)
    commit_task(workspace.root, "two", 102)
    workspace.drop("meanwhile")
    workspace.wait_done("meanwhile")
    assert workspace.runs() == ["meanwhile"]
    workspace.journal.unlink()
    workspace.dropped.clear()
    type_in(workspace.root, "git checkout -q main; git merge -q --no-ff --no-edit topic", second=110)
    all_ran_once(workspace, "one", "two")


def test_a_topic_that_is_merged_then_rebased_and_merged_again_is_done_once(workspace: Workspace) -> None:
    workspace.daemon()
    type_in(workspace.root, "git checkout -qb topic HEAD~1")
    commit_task(workspace.root, "one", 101)
    type_in(workspace.root, "git checkout -q main; git merge -q --no-edit topic", second=110)
    workspace.wait_until(lambda: workspace.is_done("one"), "it is done")
    type_in(workspace.root, "git reset -q --hard HEAD~1; echo x > x; git add x; git commit -qm x", second=120)
    type_in(
        workspace.root,
        "git checkout -q topic; git rebase -q main; git checkout -q main; git merge -q topic",
        second=130,
    )
    commit_task(workspace.root, "two", 140)
    all_ran_once(workspace, "one", "two")


def test_a_task_that_is_picked_then_merged_then_reverted_and_brought_back_is_done_once(workspace: Workspace) -> None:
    workspace.daemon()
    type_in(workspace.root, "git checkout -qb side")
    commit_task(workspace.root, "one", 101)
    type_in(workspace.root, "git checkout -q main; git cherry-pick side >/dev/null", second=110)
    workspace.wait_until(lambda: workspace.is_done("one"), "it is done")
    type_in(workspace.root, "git merge -q --no-edit side", second=120)
    type_in(workspace.root, "git revert --no-edit HEAD~1 >/dev/null || git revert --abort", second=130)
    type_in(workspace.root, "git rm -q tasks/one.yaml 2>/dev/null && git commit -qm 'Take it back' || true", second=140)
    commit_task(workspace.root, "one", 150)
    commit_task(workspace.root, "two", 160)
    all_ran_once(workspace, "one", "two")


def test_what_was_committed_while_no_daemon_ran_is_done_by_the_next(workspace: Workspace) -> None:
    commit_task(workspace.root, "one")
    workspace.daemon("--until-idle")
    assert workspace.is_done("one")
    events = workspace.well("show", "one", "--events").out
    assert "committed at tasks/one.yaml in" in events
    workspace.is_well()


@pytest.mark.parametrize("task", ["broken.yaml", "for-nobody.yaml"])
def test_what_cannot_be_done_is_rejected_once_and_the_branch_stays(task: str, workspace: Workspace) -> None:
    (workspace.root / "tasks").mkdir()
    text = {"broken.yaml": "title: 'never closed\n", "for-nobody.yaml": text_of("for-nobody", agent="nobody")}[task]
    (workspace.root / "tasks" / task).write_text(text)
    type_in(workspace.root, "git add tasks; git commit -qm 'Ask'", second=100)
    workspace.daemon("--until-idle")
    rejected = workspace.work / "collaboration" / "rejected"
    assert sorted(path.name for path in rejected.iterdir()) == [task, f"{task}.why.md"]
    workspace.daemon("--until-idle")
    assert sorted(path.name for path in rejected.iterdir()) == [task, f"{task}.why.md"]
    workspace.is_well()
    assert git(workspace.root, "status", "--porcelain") == ""


def test_a_commit_starts_a_daemon_by_its_hook_where_that_was_asked_for(workspace: Workspace, tmp_path: Path) -> None:
    install_hooks(workspace.root, tmp_path, "post-commit", "orchestrator-nudge")
    git(workspace.root, "config", "orchestrator.hooks.run", "once")
    workspace.submit("makes-the-folders")
    commit_task(workspace.root, "one")
    workspace.dropped.append("one")
    workspace.wait_done()
    workspace.wait_until(lambda: workspace.state == "", "that daemon has ended")
    workspace.is_well()
    workspace.ran_once()


def test_a_pushed_task_is_taken_in_on_the_server_and_the_pusher_reads_so(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "server.git")
    server = Workspace(tmp_path / "server.git").init(trail=INTAKE)
    install_hooks(server.root, tmp_path, "post-receive")
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(server.root), str(clone))
    commit_task(clone, "one", 101)
    commit_task(clone, "two", 102)
    said = type_in(clone, "git push -q origin HEAD:main 2>&1")
    assert "remote: orchestrator: 2 tasks taken in from main" in said
    assert [server.where(task) for task in ("one", "two")] == [["inbox/one.yaml"], ["inbox/two.yaml"]]
    server.daemon("--until-idle")
    server.dropped += ["one", "two"]
    assert sorted(server.runs()) == ["one", "two"]
    server.is_well()
    (clone / "README.md").write_text("no task\n")
    type_in(clone, "git add README.md; git commit -qm 'No task'", second=110)
    assert "orchestrator:" not in type_in(clone, "git push -q origin HEAD:main 2>&1")
    git(clone, "fetch", "-q", "origin", "orchestrator/work")
    told = git(clone, "log", "--format=%s", "FETCH_HEAD").splitlines()
    assert {"task: done one", "task: done two"} <= set(told)


def test_a_push_to_a_server_whose_daemon_runs_is_done_by_that_daemon(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "server.git")
    server = Workspace(tmp_path / "server.git", aside=tmp_path).init(policies=POLICIES, trail=INTAKE)
    install_hooks(server.root, tmp_path, "post-receive")
    git(tmp_path, "clone", "-q", str(server.root), "clone")
    try:
        server.daemon()
        commit_task(tmp_path / "clone", "one")
        type_in(tmp_path / "clone", "git push -q origin HEAD:main")
        server.dropped.append("one")
        server.wait_done()
        server.stop()
        server.is_well()
        server.ran_once()
    finally:
        server.close()
