"""Tracked mode on real git: calm beside a person, and nothing lost."""

import itertools
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.adapters import place
from orchestrator.adapters.tracked import TrackedTrail, open_tracked
from orchestrator.core.settings import TrailMode, TrailSettings
from orchestrator.core.transition import Change, Transition
from orchestrator.errors import OrchestratorError

CALM = timedelta(hours=1)
AT_ONCE = timedelta(0)


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


@contextmanager
def held_open(folder: Path, gate: Path, *command: str) -> Iterator["subprocess.Popen[bytes]"]:
    """A person's git that waits at a gate, in its editor or a hook; let through at the end, and gone in any case."""
    with subprocess.Popen(command, cwd=folder, start_new_session=True) as person:
        try:
            wait_for(Path(f"{gate}.open").exists)
            yield person
            gate.touch()
            person.wait(20)
        finally:
            if person.poll() is None:
                os.killpg(person.pid, signal.SIGKILL)


def at_gate(gate: Path) -> str:
    """What a script has to do to wait there."""
    return f'touch "{gate}.open"\nwhile [ ! -e "{gate}" ]; do sleep 0.02; done\n'


class Situation:
    """A person's checkout with the work folder on its branch, and a daemon that does tasks there."""

    def __init__(self, folder: Path, every: timedelta = CALM) -> None:
        self.folder = folder
        self.settings = TrailSettings(mode=TrailMode.TRACKED, publish_every=every)
        self.work = folder / "work"
        self.count = 0
        self.trail = self.opened()

    def opened(self) -> TrackedTrail:
        trail, _ = open_tracked(place.find(self.folder), self.settings)
        trail.recover()
        return trail

    def git(self, *args: str, fails: bool = False) -> str:
        ended = subprocess.run(("git", *args), cwd=self.folder, capture_output=True, text=True, check=False)
        assert (ended.returncode != 0) is fails, ended.stdout + ended.stderr
        return ended.stdout.rstrip("\n")

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def commit(self, path: str, text: str) -> str:
        self.write(path, text)
        self.git("add", "--", path)
        self.git("commit", "-qm", f"person: {path}")
        return self.git("rev-parse", "HEAD")

    def task(self, name: str = "") -> str:
        """Claims and finishes a task: two transitions, on disk and handed over."""
        self.count += 1
        name = name or f"t{self.count}"
        assigned = f"collaboration/assigned/dev/{name}.yaml"
        done = f"collaboration/done/dev/2026-02-12/{name}.yaml"
        events = f"telemetry/2026-02-12/{name}.jsonl"
        self.step(f"task: assigned {name}", {assigned: f"{name} assigned\n", events: "1\n"})
        self.step(f"task: done {name}", {assigned: None, done: f"{name} done\n", events: "1\n2\n"})
        return name

    def step(self, subject: str, contents: dict[str, str | None]) -> None:
        intent = self.trail.intend(list(contents))
        for path, text in contents.items():
            if text is None:
                (self.work / path).unlink()
            else:
                self.write(f"work/{path}", text)
        changes = tuple(
            Change(path=path, content=None if text is None else text.encode()) for path, text in contents.items()
        )
        trailers = {"Task-Id": subject.rsplit(maxsplit=1)[-1], "Task-Transition": subject.split()[1]}
        at = datetime(2026, 2, 12, tzinfo=UTC)
        self.trail.record(intent, Transition(subject=subject, at=at, changes=changes, trailers=trailers))

    def subjects(self, ref: str = "HEAD") -> list[str]:
        return self.git("log", "--reverse", "--format=%s", ref).splitlines()

    def published(self) -> list[str]:
        return [subject for subject in self.subjects("main") if subject.startswith("task: ")]

    def on_disk(self) -> dict[str, str]:
        files = (path for path in self.work.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_text() for path in files}

    def in_tree(self, ref: str = "HEAD") -> dict[str, str]:
        names = self.git("ls-tree", "-r", "--name-only", ref, "--", "work").splitlines()
        return {name: self.git("show", f"{ref}:{name}") + "\n" for name in names}

    def status(self) -> str:
        return self.git("status", "--porcelain")


def start(folder: Path, *options: str) -> Path:
    subprocess.run(("git", "init", "-q", "-b", "main", *options, str(folder)), check=True)
    (folder / "README.md").write_text("hello\n")
    (folder / "work/collaboration/inbox").mkdir(parents=True)
    (folder / "work/collaboration/inbox/.gitkeep").touch()
    for args in (("add", "."), ("commit", "-qm", "start")):
        subprocess.run(("git", *args), cwd=folder, check=True)
    (folder / "work/collaboration/inbox/.gitkeep").write_text("\n")
    subprocess.run(("git", "commit", "-qam", "skeleton"), cwd=folder, check=True)
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Situation]:
    situation = Situation(start(tmp_path / "repo"))
    yield situation
    situation.trail.close()
    assert situation.git("fsck", "--no-dangling") == ""
    assert not list((situation.folder / ".git").glob("orchestrator-index*"))


TWO = ["task: assigned t1", "task: done t1"]


def test_a_commit_for_each_transition_and_a_clean_status(here: Situation) -> None:
    here.task()
    assert here.trail.flush(20)
    assert here.subjects() == ["start", "skeleton", *TWO]
    assert here.status() == ""
    assert here.in_tree() == here.on_disk()
    assert here.git("log", "-1", "--format=%(trailers:key=Task-Id,valueonly)").strip() == "t1"
    assert (here.trail.backlog, here.trail.trouble) == (0, "")
    assert here.trail.tip() == here.git("rev-parse", "main")


def test_publishing_is_calm_but_the_first_comes_soon(here: Situation) -> None:
    here.step("task: assigned a", {"collaboration/assigned/dev/a.yaml": "a\n"})
    wait_for(lambda: here.trail.backlog == 0)
    here.step("task: assigned b", {"collaboration/assigned/dev/b.yaml": "b\n"})
    here.trail.idle()
    assert here.published() == ["task: assigned a"]
    assert here.trail.backlog == 1
    assert (here.trail.waiting, here.trail.trouble) == ("", "")  # its time has just not come


def test_what_a_person_staged_and_left_unstaged_stays_exactly_so(here: Situation) -> None:
    here.write("README.md", "edited\n")
    here.write("new.txt", "staged\n")
    here.git("add", "new.txt")
    here.write("new.txt", "and edited again\n")
    here.write("loose.txt", "untracked\n")
    before = here.status()
    here.task()
    assert here.trail.flush(20)
    assert here.status() == before
    assert here.git("show", ":new.txt") == "staged"
    here.git("commit", "-qm", "person")
    assert here.git("show", "--name-only", "--format=", "HEAD") == "new.txt"
    assert here.in_tree() == here.on_disk()


def test_what_a_person_staged_in_the_work_folder_itself_stays_staged(here: Situation) -> None:
    here.task()
    assert here.trail.flush(20)
    done = "work/collaboration/done/dev/2026-02-12/t1.yaml"
    here.write(done, "a person's note\n")
    here.git("add", done)
    here.write("work/telemetry/2026-02-12/t1.jsonl", "1\n2\n3\n")
    intent = here.trail.intend(["telemetry/2026-02-12/t1.jsonl"])
    change = Change(path="telemetry/2026-02-12/t1.jsonl", content=b"1\n2\n3\n")
    here.trail.record(intent, Transition(subject="task: archived t1", at=datetime.now(UTC), changes=(change,)))
    assert here.trail.flush(20)
    assert here.status() == f"M  {done}"


def test_nothing_is_published_during_a_merge_and_everything_after_it(here: Situation) -> None:
    here.git("switch", "-qc", "topic")
    here.commit("README.md", "theirs\n")
    here.git("switch", "-q", "main")
    here.commit("README.md", "ours\n")
    here.git("merge", "-q", "topic", fails=True)
    tip = here.git("rev-parse", "main")
    here.task()
    wait_for(lambda: here.trail.waiting)
    assert here.trail.waiting == "2 commits wait to be published: a merge is in progress"
    assert here.trail.trouble == ""
    assert not here.trail.flush(0.3)
    assert here.git("rev-parse", "main") == tip
    here.write("README.md", "both\n")
    here.git("commit", "-qam", "merged")
    assert here.git("rev-list", "--count", "--min-parents=2", "main") == "1"
    assert here.trail.flush(20)
    assert here.published() == TWO
    assert here.trail.waiting == ""
    assert here.in_tree() == here.on_disk()
    assert here.status() == ""


@pytest.mark.parametrize(
    ("begin", "end", "what"),
    [
        (("rebase", "topic"), ("rebase", "--abort"), "HEAD is detached"),
        (("cherry-pick", "topic"), ("cherry-pick", "--abort"), "a cherry-pick is in progress"),
        (("revert", "--no-edit", "HEAD~1"), ("revert", "--abort"), "a revert is in progress"),
    ],
    ids=lambda words: words[0] if isinstance(words, tuple) else "",
)
def test_operations_in_progress_are_left_alone(
    here: Situation, begin: tuple[str, ...], end: tuple[str, ...], what: str
) -> None:
    here.git("switch", "-qc", "topic")
    here.commit("README.md", "theirs\n")
    here.git("switch", "-q", "main")
    here.commit("README.md", "ours\n")
    here.commit("README.md", "ours again\n")
    here.git(*begin, fails=True)
    here.task()
    wait_for(lambda: here.trail.waiting)
    assert what in here.trail.waiting
    here.git(*end)
    assert here.trail.flush(20)
    assert here.published() == TWO
    assert here.in_tree() == here.on_disk()
    assert here.status() == ""


@pytest.mark.parametrize("verb", ["cherry-pick", "revert"])
def test_operations_in_progress_are_seen_where_refs_are_in_tables(tmp_path: Path, verb: str) -> None:
    made = subprocess.run(("git", "init", "-q", "-b", "main", "--ref-format=reftable", str(tmp_path)), check=False)
    if made.returncode:
        pytest.skip("git has reftable since 2.45, and this one is older")
    (tmp_path / "work").mkdir()
    (tmp_path / "README.md").write_text("begin\n")
    subprocess.run(("git", "add", "."), cwd=tmp_path, check=True)
    subprocess.run(("git", "commit", "-qm", "begin"), cwd=tmp_path, check=True)
    here = Situation(tmp_path, every=AT_ONCE)
    here.git("switch", "-qc", "topic")
    here.commit("README.md", "theirs\n")
    here.git("switch", "-q", "main")
    here.commit("README.md", "ours\n")
    here.commit("README.md", "ours again\n")
    here.git(verb, *{"cherry-pick": ["topic"], "revert": ["--no-edit", "HEAD~1"]}[verb], fails=True)
    here.task()
    wait_for(lambda: here.trail.waiting)
    assert f"a {verb} is in progress" in here.trail.waiting
    here.git(verb, "--abort")
    assert here.trail.flush(20)
    assert here.published() == TWO
    assert here.status() == ""
    here.trail.close()


def test_a_rebase_that_ends_well_keeps_its_commits_and_gets_ours(here: Situation) -> None:
    here.git("switch", "-qc", "topic")
    base = here.commit("other.txt", "theirs\n")
    here.git("switch", "-q", "main")
    here.commit("README.md", "ours\n")
    here.git("-c", "sequence.editor=sed -i s/^pick/edit/", "rebase", "-qi", "topic")
    here.task()
    wait_for(lambda: here.trail.waiting)
    here.git("rebase", "--continue")
    assert here.trail.flush(20)
    assert here.git("merge-base", "main", base) == base
    assert here.subjects() == ["start", "skeleton", "person: other.txt", "person: README.md", *TWO]
    assert here.status() == ""


def test_a_detached_head_and_another_branch_are_said_and_waited_for(here: Situation) -> None:
    here.git("switch", "-q", "--detach")
    here.task()
    wait_for(lambda: here.trail.waiting)
    assert "HEAD is detached; git switch main lets them go on" in here.trail.waiting
    here.git("switch", "-qc", "feature")
    wait_for(lambda: "feature is checked out and the queue is on main" in here.trail.waiting)
    assert here.published() == []
    here.git("switch", "-q", "main")
    assert here.trail.flush(20)
    assert here.published() == TWO
    assert "task: done t1" not in here.subjects("feature")


def test_what_waits_survives_a_crash_with_its_messages(here: Situation) -> None:
    here.git("switch", "-q", "--detach")
    here.task()
    # A process that is killed leaves its files as they are and runs nothing more; a second one starts.
    state = here.folder / ".git/orchestrator"
    left = {path: path.read_bytes() for path in state.iterdir() if path.is_file()}
    here.trail.close()
    for path, content in left.items():
        path.write_bytes(content)
    survivor = Situation.opened(here)
    assert survivor.backlog == 2
    here.git("switch", "-q", "main")
    assert survivor.flush(20)
    assert here.published() == TWO
    survivor.close()
    here.trail = here.opened()
    assert here.trail.backlog == 0


def test_a_crash_between_branch_and_note_does_not_publish_twice_and_the_index_follows(here: Situation) -> None:
    index = (here.folder / ".git/index").read_bytes()
    old = here.git("rev-parse", "HEAD")
    here.git("switch", "-q", "--detach")
    here.task()
    pending = here.folder / ".git/orchestrator/tracked.pending"
    waiting = pending.read_bytes()
    here.git("switch", "-q", "main")
    assert here.trail.flush(20)
    here.trail.close()
    # As a process leaves it that is killed right after it moved the branch: the old index, nothing noted as published.
    begun = json.dumps(["p", "refs/heads/main", old, here.git("rev-parse", "HEAD"), [1, 2]]).encode()
    pending.write_bytes(waiting + begun + b"\n")
    (here.folder / ".git/index").write_bytes(index)
    assert here.status() != ""
    here.trail = here.opened()
    wait_for(lambda: here.status() == "")
    assert here.trail.backlog == 0
    assert here.published() == TWO


def test_a_file_that_was_announced_and_never_handed_over_is_committed_as_recovered(here: Situation) -> None:
    here.trail.intend(["collaboration/assigned/dev/x.yaml"])
    here.write("work/collaboration/assigned/dev/x.yaml", "x\n")
    here.write("work/collaboration/inbox/mine.yaml", "not announced: still the person's\n")
    here.trail.close()
    here.trail, _ = open_tracked(place.find(here.folder), here.settings)
    recovered = here.trail.recover()
    assert recovered.paths == ("collaboration/assigned/dev/x.yaml",)
    assert here.trail.flush(20)
    assert here.published() == ["task: recovered x"]
    assert here.status() == "?? work/collaboration/inbox/mine.yaml"


def test_without_a_journal_disk_and_branch_are_compared(here: Situation) -> None:
    here.task()
    assert here.trail.flush(20)
    here.trail.close()
    (here.folder / ".git/orchestrator/tracked.journal").unlink()
    here.write("work/collaboration/assigned/dev/x.yaml", "x\n")
    (here.work / "collaboration/done/dev/2026-02-12/t1.yaml").unlink()
    here.write("work/collaboration/inbox/mine.yaml", "the person's\n")
    here.trail = here.opened()
    assert here.trail.flush(20)
    assert sorted(here.published()[2:]) == ["task: recovered t1", "task: recovered x"]
    assert here.status() == "?? work/collaboration/inbox/mine.yaml"


def test_line_ends_that_git_converted_are_no_difference(here: Situation) -> None:
    here.task()
    assert here.trail.flush(20)
    here.trail.close()
    here.git("config", "core.autocrlf", "true")
    done = here.work / "collaboration/done/dev/2026-02-12/t1.yaml"
    done.unlink()
    here.git("checkout", "-q", "--", "work")
    assert done.read_bytes() == b"t1 done\r\n"
    (here.folder / ".git/orchestrator/tracked.journal").unlink()
    here.trail = here.opened()
    assert here.trail.backlog == 0


def test_a_lock_of_a_dead_process_of_ours_is_removed_and_a_persons_is_respected(here: Situation) -> None:
    lock = here.folder / ".git/index.lock"
    child = subprocess.Popen(("true",))
    child.wait()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    lock.write_text(f"orchestrator {child.pid} {boot}\n")
    here.trail.close()
    here.trail = here.opened()
    assert not lock.exists()
    lock.touch()
    here.task()
    wait_for(lambda: "another git holds the index" in here.trail.waiting)
    assert lock.exists()
    lock.unlink()
    assert here.trail.flush(20)
    assert here.published() == TWO


def test_an_open_commit_editor_is_waited_for_and_the_persons_commit_succeeds(here: Situation, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    editor = tmp_path / "editor"
    editor.write_text(f'#!/bin/sh\n{at_gate(gate)}echo mine > "$1"\n')
    editor.chmod(0o755)
    here.write("README.md", "edited\n")
    with held_open(here.folder, gate, "git", "-c", f"core.editor={editor}", "commit", "-qa") as person:
        here.task()
        assert not here.trail.flush(0.5)
        assert "`git commit` is running" in here.trail.waiting
    assert person.returncode == 0
    assert here.trail.flush(20)
    assert here.subjects() == ["start", "skeleton", "mine", *TWO]
    assert here.status() == ""


def test_while_a_persons_hook_has_stashed_their_work_nothing_is_published_and_nothing_lost(
    here: Situation, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    hook = here.folder / ".git/hooks/pre-commit"
    hook.write_text(
        f"#!/bin/sh\nset -e\ngit diff --binary >.git/patch\ngit checkout -q -- .\n{at_gate(gate)}git apply .git/patch\n"
    )
    hook.chmod(0o755)
    here.task()
    assert here.trail.flush(20)
    here.write("README.md", "unstaged\n")
    here.write("new.txt", "staged\n")
    here.git("add", "new.txt")
    with held_open(here.folder, gate, "git", "commit", "-qm", "mine") as person:
        here.task()
        assert not here.trail.flush(0.5)
        assert "`git commit` is running" in here.trail.waiting
    assert person.returncode == 0
    assert here.trail.flush(20)
    assert here.subjects()[-3:] == ["mine", "task: assigned t2", "task: done t2"]
    assert here.in_tree() == here.on_disk()
    assert here.status() == " M README.md"


def test_a_commit_made_from_an_old_index_is_mended_from_the_disk(here: Situation) -> None:
    here.task()
    old = here.git("rev-parse", "HEAD^{tree}")
    assert here.trail.flush(20)
    # What git does to itself when it has read the index before we published: tree and index of before, parent of now.
    reverting = here.git("commit-tree", "-p", "HEAD", "-m", "person", old)
    here.git("read-tree", old)
    here.git("update-ref", "refs/heads/main", reverting)
    here.trail.idle()
    assert here.trail.flush(20)
    assert here.subjects()[-2:] == ["person", "task: repaired t1"]
    assert here.in_tree() == here.on_disk()
    assert here.status() == ""


def test_an_old_index_that_was_put_back_is_brought_up_again(here: Situation) -> None:
    here.task()
    index = (here.folder / ".git/index").read_bytes()
    assert here.trail.flush(20)
    (here.folder / ".git/put-back").write_bytes(index)
    (here.folder / ".git/put-back").rename(here.folder / ".git/index")
    wait_for(lambda: here.status() == "")
    assert here.published() == TWO


def test_what_a_person_takes_away_stays_away(here: Situation) -> None:
    here.task()
    assert here.trail.flush(20)
    here.git("rm", "-q", "work/collaboration/done/dev/2026-02-12/t1.yaml")
    here.git("commit", "-qm", "person: away")
    here.task()
    assert here.trail.flush(20)
    assert not any("t1.yaml" in path for path in here.in_tree())
    here.git("reset", "-q", "--hard", "HEAD~3")
    here.git("clean", "-qfd", "work/collaboration/done")
    here.trail.idle()
    here.task()
    assert here.trail.flush(20)
    assert [subject for subject in here.subjects() if "t2" in subject or "repaired" in subject] == []
    assert here.in_tree() == here.on_disk()
    assert here.status() == ""


def turns(subjects: list[str]) -> int:
    """How often ours were published right after a commit of the person's."""
    pairs = itertools.pairwise(subjects)
    return sum(one.startswith("person ") and other.startswith("task: ") for one, other in pairs)


def test_a_person_who_commits_in_a_loop_loses_nothing_and_neither_do_we(tmp_path: Path) -> None:
    here = Situation(start(tmp_path / "repo"), every=timedelta(milliseconds=100))
    stop = threading.Event()

    def daemon() -> None:
        while not stop.is_set():
            here.task()
            stop.wait(0.02)

    thread = threading.Thread(target=daemon)
    thread.start()
    mine: list[str] = []
    try:
        while turns(here.subjects()) < 5:
            number = len(mine)
            assert number < 60, "nothing is published beside a person who commits"
            here.write(f"mine/{number}.txt", f"{number}\n")
            words = ("sh", "-c", f"git add mine && git commit -qm 'person {number}'")
            # A person whose command met a lock, or a branch that moved, types it again.
            wait_for(lambda: subprocess.run(words, cwd=here.folder, capture_output=True, check=False).returncode == 0)  # noqa: B023 - called at once
            mine.append(f"person {number}")
            stop.wait(0.4)  # a person is not faster, and one who were would be waited for
    finally:
        stop.set()
        thread.join()
    assert here.trail.flush(30)
    here.trail.idle()
    assert here.trail.flush(30)
    wait_for(lambda: here.status() == "")
    subjects = here.subjects()
    assert [subject for subject in subjects if subject.startswith("person ")] == mine
    wanted = sorted(f"task: {what} t{n}" for n in range(1, here.count + 1) for what in ("assigned", "done"))
    assert sorted(s for s in subjects if s.startswith("task: ") and "repaired" not in s) == wanted
    assert here.in_tree() == here.on_disk()
    here.trail.close()


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)], ids=["sha1", "sha256"])
def test_a_branch_without_a_commit_begins_with_ours(tmp_path: Path, options: tuple[str, ...]) -> None:
    subprocess.run(("git", "init", "-q", "-b", "main", *options, str(tmp_path / "repo")), check=True)
    (tmp_path / "repo/work").mkdir()
    here = Situation(tmp_path / "repo", every=AT_ONCE)
    here.task()
    assert here.trail.flush(20)
    assert here.subjects() == TWO
    assert here.status() == ""
    here.trail.close()


def test_a_linked_worktree_is_a_checkout_like_any_other(tmp_path: Path) -> None:
    main = start(tmp_path / "repo")
    subprocess.run(("git", "worktree", "add", "-q", "-b", "queue", str(tmp_path / "linked")), cwd=main, check=True)
    here = Situation(tmp_path / "linked", every=AT_ONCE)
    here.task()
    assert here.trail.flush(20)
    assert here.subjects("queue")[-2:] == TWO
    assert here.status() == ""
    here.trail.close()
    assert subprocess.run(("git", "status", "--porcelain"), cwd=main, capture_output=True, check=True).stdout == b""


def test_a_bare_repository_is_refused_with_the_way_out(tmp_path: Path) -> None:
    subprocess.run(("git", "init", "-q", "--bare", str(tmp_path / "bare.git")), check=True)
    with pytest.raises(OrchestratorError, match="mode: own"):
        open_tracked(place.find(tmp_path / "bare.git"), TrailSettings(mode=TrailMode.TRACKED))
