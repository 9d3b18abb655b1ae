"""`work/` on the branch that is checked out: in a clone of the daemon's own, and beside a person."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from situations import Flow, Workspace, git, make_repository, text_of, type_in

Open = Callable[..., Workspace]
SKELETON = (
    "mkdir -p work/collaboration/inbox; touch work/collaboration/inbox/.gitkeep; git add work; git commit -qm Work"
)


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens workspaces in tracked mode, and ends what runs in them."""
    made: list[Workspace] = []

    def open_one(root: Path, trail: str) -> Workspace:
        workspace = Workspace(root)
        made.append(workspace)
        workspace.branch = "main:work"
        return workspace.init(trail=f"trail: {{mode: tracked, {trail}}}\n")

    yield open_one
    for workspace in made:
        workspace.close()


def is_published(workspace: Workspace) -> None:
    """The branch has every task where the disk has it, and git sees nothing to do in work/."""
    assert git(workspace.root, "status", "--porcelain", "--", "work") == ""
    listed = git(workspace.root, "ls-tree", "-r", "--name-only", "main", "work/collaboration/done").splitlines()
    on_disk = [
        path.relative_to(workspace.root).as_posix()
        for path in (workspace.work / "collaboration").rglob("done/**/*.yaml")
    ]
    assert sorted(listed) == sorted(on_disk)
    assert len(listed) == len(workspace.dropped)
    told = git(workspace.root, "log", "--format=%s", "main").splitlines()
    assert sorted(line for line in told if line.startswith("task: done ")) == sorted(
        f"task: done {task}" for task in workspace.dropped
    )
    git(workspace.root, "fsck", "--no-dangling")


def test_a_clone_of_its_own_takes_what_is_pushed_and_pushes_what_came_of_it(opened: Open, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "origin.git")
    person = make_repository(tmp_path / "person")
    type_in(person, f"{SKELETON}; git remote add origin {tmp_path}/origin.git; git push -q -u origin main")
    git(tmp_path, "clone", "-q", "origin.git", "server")
    server = opened(tmp_path / "server", "publish_every: 1s, remote: origin")
    (server.root / ".git" / "info" / "exclude").write_text("/config/\n")
    server.daemon()
    for number in range(3):
        task = f"pushed-{number}"
        (person / "work/collaboration/inbox" / f"{task}.yaml").write_text(text_of(task))
        type_in(
            person,
            f"git add work; git commit -qm 'Ask for {task}'; git pull -q --rebase; git push -q",
            second=60 + number,
        )
        server.dropped.append(task)
    server.wait_done()

    def has_come_back() -> bool:
        type_in(person, "git pull -q --rebase")
        return len(list((person / "work/collaboration/done").rglob("*.yaml"))) == 3

    server.wait_until(has_come_back, "the person pulled what came of it")
    server.stop()
    server.is_well()
    is_published(server)
    assert not list((person / "work/collaboration/inbox").glob("*.yaml"))


def test_beside_a_person_publishing_is_calm_and_their_work_stays_as_it_is(opened: Open, tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repository")
    type_in(root, SKELETON)
    workspace = opened(root, "publish_every: 1s")
    type_in(root, "git add config; git commit -qm Configure")
    workspace.daemon()
    with Flow(workspace) as flow:
        type_in(root, "echo staged > staged; git add staged; echo unstaged >> main.py; echo untracked > untracked")
        flow.await_more(4)
        seen = git(root, "status", "--porcelain", "--", ":!work").splitlines()
        assert seen == [" M main.py", "A  staged", "?? untracked"]
        for number in range(4):
            type_in(
                root,
                f"echo {number} >> README.md; until git commit -qm 'Mine {number}' README.md; do :; done",
                second=number,
            )
            flow.await_more(1)
        seen = git(root, "status", "--porcelain", "--", ":!work").splitlines()
        assert seen == [" M main.py", "A  staged", "?? untracked"]
    workspace.wait_done()
    workspace.stop()
    is_published(workspace)
    told = git(root, "log", "--reverse", "--format=%s", "main").splitlines()
    assert [line for line in told if line.startswith("Mine")] == [f"Mine {number}" for number in range(4)]
    assert git(root, "status", "--porcelain", "--", ":!work").splitlines() == seen


def test_nothing_is_published_in_the_middle_of_a_merge_and_status_says_what_it_waits_for(
    opened: Open, tmp_path: Path
) -> None:
    root = make_repository(tmp_path / "repository")
    type_in(root, SKELETON)
    workspace = opened(root, "publish_every: 1s")
    type_in(root, "git add config; git commit -qm Configure")
    workspace.daemon()
    type_in(root, "git checkout -qb topic; echo t > main.py; git commit -qam t; git checkout -q main", second=50)
    type_in(root, "echo m > main.py; git commit -qam m; git merge topic || true", second=51)
    tip = git(root, "rev-parse", "main")
    workspace.drop("during")
    workspace.wait_done()
    workspace.wait_until(lambda: "merge" in workspace.well("status").out, "status says what it waits for")
    assert git(root, "rev-parse", "main") == tip
    type_in(root, "echo both > main.py; git add main.py; git commit -qm merged", second=60)
    workspace.wait_until(lambda: "task: done during" in git(root, "log", "--format=%s", "main"), "it is published")
    workspace.stop()
    is_published(workspace)
    assert git(root, "status", "--porcelain") == ""


def test_a_person_who_visits_a_branch_without_the_work_folder_finds_every_task_again(
    opened: Open, tmp_path: Path
) -> None:
    root = make_repository(tmp_path / "repository")
    type_in(root, f"git branch elsewhere; {SKELETON}")
    workspace = opened(root, "publish_every: 1s")
    type_in(root, "git add config; git commit -qm Configure")
    workspace.daemon()
    workspace.drop("done-before")
    workspace.drop("by-hand", agent="person")
    workspace.wait_done("done-before")
    workspace.wait_until(lambda: workspace.status_of("by-hand") == "assigned", "it is assigned")
    workspace.wait_until(
        lambda: (
            {"task: assigned by-hand", "task: done done-before"} <= set(git(root, "log", "--format=%s").splitlines())
            and git(root, "status", "--porcelain") == ""
        ),
        "all is published",
    )
    type_in(root, "until git checkout -q elsewhere 2>/dev/null; do :; done")  # ours holds index.lock for a moment
    began = time.monotonic()
    workspace.wait_until(lambda: time.monotonic() > began + 4, "the daemon has looked around, and tidied")
    type_in(root, "git checkout -q main")
    assert workspace.where("by-hand") == ["assigned/person/by-hand.yaml"]
    assert workspace.status_of("by-hand") == "assigned"
    workspace.drop("done-after")
    workspace.wait_done("done-after")
    workspace.stop()
    told = git(root, "log", "--format=%s", "main").splitlines()
    assert "task: cancelled by-hand" not in told
    assert "assigned" in workspace.well("show", "by-hand").out.splitlines()[0]
    assert git(root, "status", "--porcelain", "--", "work") == ""
