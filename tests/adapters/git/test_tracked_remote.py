"""Tracked mode in clones that daemons have to themselves: each follows a remote that moves under it."""

import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from test_tracked import AT_ONCE, Situation, start, wait_for

from orchestrator.core.settings import TrailMode, TrailSettings


class Clone(Situation):
    """A server's clone: publishes at once, fetches and pushes by itself."""

    def __init__(self, base: Path, name: str) -> None:
        subprocess.run(("git", "clone", "-q", str(base / "remote.git"), str(base / name)), check=True)
        super().__init__(base / name, every=AT_ONCE)
        self.name = name

    def opened(self):  # type: ignore[no-untyped-def]  # as the base class has it
        self.settings = TrailSettings(mode=TrailMode.TRACKED, remote="origin", publish_every=AT_ONCE)
        return super().opened()

    def named_task(self) -> str:
        return self.task(f"{self.name}-{self.count + 1}")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    seed = start(tmp_path / "seed")
    subprocess.run(("git", "clone", "-q", "--bare", str(seed), str(tmp_path / "remote.git")), check=True)
    return tmp_path


@pytest.fixture
def clones(base: Path) -> Iterator[tuple[Clone, Clone]]:
    both = Clone(base, "one"), Clone(base, "two")
    yield both
    for clone in both:
        clone.trail.close()
        assert clone.git("fsck", "--no-dangling") == ""


def remote(base: Path, *args: str) -> str:
    words = ("git", *args)
    return subprocess.run(words, cwd=base / "remote.git", capture_output=True, text=True, check=True).stdout.strip()


def test_commits_are_pushed_as_they_are_made(base: Path, clones: tuple[Clone, Clone]) -> None:
    one, _ = clones
    one.task()
    assert one.trail.flush(20)
    wait_for(lambda: remote(base, "rev-parse", "main") == one.git("rev-parse", "main"))
    assert one.trail.waiting == ""
    assert one.status() == ""


def test_what_others_pushed_comes_under_our_commits_and_into_the_checkout(
    base: Path, clones: tuple[Clone, Clone]
) -> None:
    one, two = clones
    two.commit("code.py", "x = 1\n")
    two.commit("work/collaboration/inbox/new.yaml", "agent: dev\n")
    two.git("push", "-q", "origin", "main")
    one.task()
    assert one.trail.flush(20)
    wait_for(lambda: remote(base, "rev-parse", "main") == one.git("rev-parse", "main"))
    assert one.subjects()[-4:] == [
        "person: code.py",
        "person: work/collaboration/inbox/new.yaml",
        "task: assigned t1",
        "task: done t1",
    ]
    assert (one.folder / "code.py").read_text() == "x = 1\n"
    assert one.status() == ""
    assert one.in_tree() == one.on_disk()


def test_messages_trailers_and_times_survive_being_put_on_top(base: Path, clones: tuple[Clone, Clone]) -> None:
    one, two = clones
    (base / "remote.git").rename(base / "away.git")
    one.task()
    assert one.trail.flush(20)
    wait_for(lambda: one.trail.waiting)
    shape = "--format=%an%n%ae%n%at%n%B"
    before = one.git("log", "-2", shape)
    (base / "away.git").rename(base / "remote.git")
    two.commit("code.py", "x = 1\n")
    two.git("push", "-q", "origin", "main")
    assert one.trail.follow()
    assert one.git("log", "-2", shape) == before
    assert remote(base, "log", "-2", shape) == before


def test_two_clones_that_work_at_once_lose_nothing_and_double_nothing(base: Path, clones: tuple[Clone, Clone]) -> None:
    def works(clone: Clone) -> None:
        for _ in range(10):
            clone.named_task()
            assert clone.trail.flush(30)

    threads = [threading.Thread(target=works, args=(clone,)) for clone in clones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for clone in (*clones, clones[0]):
        wait_for(clone.trail.follow)
    subjects = remote(base, "log", "--format=%s", "main").splitlines()
    wanted = [
        f"task: {what} {name}-{n}" for name in ("one", "two") for n in range(1, 11) for what in ("assigned", "done")
    ]
    assert sorted(subject for subject in subjects if subject.startswith("task: ")) == sorted(wanted)
    assert remote(base, "rev-list", "--min-parents=2", "main") == ""
    for clone in clones:
        assert clone.git("rev-parse", "main") == remote(base, "rev-parse", "main")
        assert clone.status() == ""
        assert clone.in_tree() == clone.on_disk()


def test_a_remote_that_is_gone_is_said_and_commits_go_on_here(base: Path, clones: tuple[Clone, Clone]) -> None:
    one, _ = clones
    (base / "remote.git").rename(base / "away.git")
    one.task()
    assert one.trail.flush(20)
    assert one.published() == ["task: assigned t1", "task: done t1"]
    wait_for(lambda: one.trail.waiting)
    assert "not on origin" in one.trail.waiting
    (base / "away.git").rename(base / "remote.git")
    assert one.trail.follow()
    assert remote(base, "rev-parse", "main") == one.git("rev-parse", "main")
    assert one.trail.waiting == ""


def test_a_persons_own_commit_in_the_clone_is_pushed_along_and_never_moved(
    base: Path, clones: tuple[Clone, Clone]
) -> None:
    one, two = clones
    mine = one.commit("mine.txt", "mine\n")
    one.task()
    assert one.trail.flush(20)
    wait_for(lambda: mine in remote(base, "rev-list", "main"))
    assert one.trail.follow()
    two.git("pull", "-q", "--ff-only")
    (base / "remote.git").rename(base / "away.git")
    stuck = one.commit("mine.txt", "mine again\n")
    (base / "away.git").rename(base / "remote.git")
    two.commit("code.py", "x = 1\n")
    two.git("push", "-q", "origin", "main")
    assert not one.trail.follow()
    assert "was made here by hand; git pull --rebase origin" in one.trail.waiting
    assert one.git("rev-parse", "main") == stuck
    one.git("pull", "-q", "--rebase", "origin", "main")
    assert one.trail.follow()
    assert one.trail.waiting == ""


def test_what_somebody_changed_in_the_clone_is_not_overwritten(base: Path, clones: tuple[Clone, Clone]) -> None:
    one, two = clones
    one.write("README.md", "changed here\n")
    two.commit("README.md", "changed there\n")
    two.git("push", "-q", "origin", "main")
    assert not one.trail.follow()
    assert "does not fit what lies here" in one.trail.waiting
    assert (one.folder / "README.md").read_text() == "changed here\n"
    one.git("checkout", "-q", "--", "README.md")
    assert one.trail.follow()
    assert (one.folder / "README.md").read_text() == "changed there\n"


def test_a_persons_checkout_is_never_fetched_into_or_pushed_from(base: Path) -> None:
    before = remote(base, "rev-parse", "main")
    subprocess.run(("git", "clone", "-q", str(base / "remote.git"), str(base / "person")), check=True)
    person = Situation(base / "person")
    person.trail.close()
    person.settings = replace(person.settings, remote="origin")  # which `publish_every` makes no clone of its own
    person.trail = person.opened()
    person.task()
    assert person.trail.flush(20)
    assert person.trail.follow()
    person.trail.idle()
    person.trail.close()
    assert remote(base, "rev-parse", "main") == before


def test_a_clone_where_nothing_happens_takes_in_what_others_push_when_idle(
    base: Path, clones: tuple[Clone, Clone]
) -> None:
    one, two = clones
    two.commit("work/collaboration/inbox/new.yaml", "agent: dev\n")
    two.git("push", "-q", "origin", "main")
    one.trail.idle()
    wait_for((one.work / "collaboration/inbox/new.yaml").exists)
    wait_for(lambda: one.git("rev-parse", "main") == remote(base, "rev-parse", "main"))
