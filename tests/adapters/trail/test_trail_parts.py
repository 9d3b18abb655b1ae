"""The parts of the trail by themselves."""

import json
import os
import shutil
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trail_feeder import git, transition, transitions

from orchestrator.adapters import place as places
from orchestrator.adapters.trail import files, worktree
from orchestrator.adapters.trail.child import DiedError
from orchestrator.adapters.trail.committer import Committer, MovedError
from orchestrator.adapters.trail.compare import Comparison, task_of
from orchestrator.adapters.trail.journal import Journal
from orchestrator.adapters.trail.landing import Landing
from orchestrator.adapters.trail.leftovers import Leftovers
from orchestrator.adapters.trail.queue import Queue, Waiting
from orchestrator.adapters.trail.ref import Ref
from orchestrator.adapters.trail.ref import repository as repository_git
from orchestrator.adapters.trail.refresh import Index
from orchestrator.adapters.trail.registration import admin_of
from orchestrator.adapters.trail.stream import encode, quoted, raw_time
from orchestrator.core.settings import TrailSettings
from orchestrator.core.transition import Change, Transition


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_quoted_path_is_one_line_and_means_itself(path: str) -> None:
    said = quoted(path)
    assert b"\n" not in said
    assert said[:1] == said[-1:] == b'"'
    meant = said[1:-1].decode("ascii").encode().decode("unicode_escape").encode("latin-1")
    assert meant == path.encode()


@given(st.text(max_size=50), st.text(max_size=50), st.binary(max_size=50))
@settings(max_examples=100)
def test_nothing_in_a_transition_becomes_a_command(subject: str, body: str, content: bytes) -> None:
    change = Change(path="a/b.yaml", content=content)
    made = Transition(subject=subject, body=body, at=datetime.now(UTC), changes=(change,), trailers={"K": body})
    stream = b"".join(encode([made], ref="refs/heads/x", parent="", identity=b"a <b>"))
    commands = []
    while stream:
        line, _, stream = stream.partition(b"\n")
        if line.startswith(b"data "):
            size = int(line[5:])
            stream = stream[size:].removeprefix(b"\n")
        elif line:
            commands.append(line.split()[0])
    assert commands == [b"blob", b"mark", b"commit", b"mark", b"committer", b"M"]


@pytest.mark.parametrize(
    ("minutes", "written"), [(0, b"+0000"), (90, b"+0130"), (-210, b"-0330")], ids=["UTC", "east", "west"]
)
def test_time_is_written_with_its_zone(minutes: int, written: bytes) -> None:
    zone = timezone(timedelta(minutes=minutes))
    assert raw_time(datetime(2026, 2, 12, 11, 1, 0, 999_999, tzinfo=zone)).split()[1] == written


@pytest.mark.parametrize(
    ("path", "task"),
    [
        ("collaboration/done/dev/2026-02-12.2/x.yaml", "x"),
        ("collaboration/assigned/dev/x.y.yml", "x.y"),
        ("collaboration/rejected/x.yaml.why.md", "x"),
        ("telemetry/2026-02-12/x.jsonl", "x"),
        ("reports/logs/dev/x.md", "x"),
        ("collaboration/AGENT_STATUS.md", ""),
        ("runs/RUN-1/run.yaml", ""),
        ("notes.yaml", ""),
    ],
)
def test_a_file_belongs_to_the_task_that_its_name_says(path: str, task: str) -> None:
    assert task_of(path) == task


# --- the journal -------------------------------------------------------------------------------------------------


def test_an_intent_is_open_until_it_is_acknowledged(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.restart("tip0")
    first, second = journal.intend(["a", "b"]), journal.intend(["ü\udcff\n"])
    journal.acknowledge([first], "tip1")
    journal.close()
    found = Journal(tmp_path / "j").found
    assert (found.trusted, found.tip, found.open) == (True, "tip1", {second: ("ü\udcff\n",)})


@given(st.lists(st.tuples(st.lists(st.text(max_size=5), max_size=3), st.booleans()), max_size=20), st.integers(0, 400))
@settings(max_examples=60, deadline=None)
def test_a_journal_cut_anywhere_names_every_intent_before_the_cut(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[list[str], bool]], cut: int
) -> None:
    path = tmp_path_factory.mktemp("j") / "j"
    journal = Journal(path)
    journal.restart("tip")
    for paths, acknowledged in steps:
        number = journal.intend(paths)
        if acknowledged:
            journal.acknowledge([number], "tip")
    journal.close()
    whole = path.read_bytes()
    kept = whole[: max(len(whole) - cut, whole.index(b"\n") + 1)]
    path.write_bytes(kept)
    again = Journal(path)
    late = again.intend(["late"])
    again.close()
    wanted: dict[int, tuple[str, ...]] = {}
    for line in kept.split(b"\n"):
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if record[0] == "i":
            wanted[record[1]] = tuple(record[2])
        elif record[0] == "a":
            for number in record[1]:
                del wanted[number]
    assert Journal(path).found.open == {**wanted, late: ("late",)}


def test_writing_the_journal_anew_keeps_what_is_open_and_whether_it_is_to_be_trusted(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    for number in range(2000):
        journal.intend([f"a{number}"])
    journal.acknowledge(range(1, 2000), "tip")
    journal.compact()
    journal.close()
    found = Journal(tmp_path / "j").found
    assert (found.open, found.trusted) == ({2000: ("a1999",)}, False)
    assert (tmp_path / "j").stat().st_size < 200


# --- the queue ---------------------------------------------------------------------------------------------------


def test_groups_keep_the_order_and_their_size() -> None:
    queue = Queue(window=0.0, most=10)
    for number in range(25):
        queue.put(Waiting(number, transition("done", "x")))
    groups = [queue.take(1) for _ in range(3)]
    assert [[waiting.intent for waiting in group or ()] for group in groups] == [
        list(range(10)), list(range(10, 20)), list(range(20, 25))
    ]  # fmt: skip
    assert queue.take(0.001) == deque()
    assert queue.backlog == 25
    queue.close()
    assert queue.take(None) is None


def test_a_flush_waits_for_what_was_there_when_it_began_and_hurries_the_group() -> None:
    queue = Queue(window=60)
    queue.put(Waiting(1, transition("done", "x")))
    taken: list[int] = []

    def work() -> None:
        while (group := queue.take(None)) is not None:
            taken.append(len(group))
            queue.acknowledge(len(group))

    thread = threading.Thread(target=work)
    thread.start()
    assert queue.flush(30)
    assert taken == [1]
    queue.close()
    thread.join()


# --- the committer and the landing -------------------------------------------------------------------------------


@pytest.fixture
def place(repository: Path) -> places.Place:
    """A workspace."""
    worktree.create(places.find(repository), TrailSettings())
    return places.find(repository)


class Dying(Committer):
    """A child that dies after it moved the branch, before it answered."""

    dies = True

    def commit(self, batch: Sequence[Transition], onto: str) -> str:
        """Once."""
        wrote = super().commit(batch, onto)
        if self.dies:
            self.dies = False
            self.abandon()
            raise DiedError("killed")
        return wrote


def landing_of(place: places.Place, committer: Committer) -> Landing:
    """Without threads."""
    assert place.common_dir is not None
    common = place.common_dir
    return Landing(
        committer=committer,
        comparison=Comparison(committer.ref.git, place.work),
        journal=Journal(place.state / "j"),
        admin=lambda: admin_of(common),
        mend=lambda: None,
        now=lambda: datetime.now(UTC),
    )


@pytest.mark.parametrize("theirs", ["nothing", "a commit on top", "an amended last commit"])
def test_a_batch_that_is_in_although_the_child_died_is_not_committed_again(place: places.Place, theirs: str) -> None:
    committer = Dying(worktree.ref_of(place, TrailSettings()), record=place.state / "child")
    landing = landing_of(place, committer)
    batch = deque(Waiting(n, transition("done", f"t{n}")) for n in range(3))
    with pytest.raises(DiedError):
        landing.land(batch)
    assert len(batch) == 3
    if theirs == "a commit on top":
        git(place.work, "commit", "-q", "--allow-empty", "-m", "theirs")
    if theirs == "an amended last commit":
        git(place.work, "commit", "-q", "--amend", "--allow-empty", "-m", "theirs")
    batch.append(Waiting(9, transition("done", "t9")))
    landing.land(batch)
    committer.rest()
    assert not batch
    lines = transitions(place.work)
    last = ["task: done t2"] if theirs != "an amended last commit" else []
    between = ["theirs"] if theirs != "nothing" else []
    again = [] if last else ["task: done t2"]
    assert lines == ["work: begin", "task: done t0", "task: done t1", *last, *between, *again, "task: done t9"]


def test_who_looks_at_the_branch_in_between_learns_that_the_batch_is_in(place: places.Place) -> None:
    committer = Dying(worktree.ref_of(place, TrailSettings()), record=place.state / "child")
    landing = landing_of(place, committer)
    batch = deque(Waiting(n, transition("done", f"t{n}")) for n in range(3))
    with pytest.raises(DiedError):
        landing.land(batch)
    landing.catch_up()
    assert not batch
    landing.land(batch)
    committer.rest()
    assert transitions(place.work) == ["work: begin", "task: done t0", "task: done t1", "task: done t2"]
    assert landing.tip == committer.ref.tip()


def test_a_branch_that_is_elsewhere_is_told_from_a_child_that_died(place: places.Place) -> None:
    committer = Committer(worktree.ref_of(place, TrailSettings()), record=place.state / "child")
    tip = committer.ref.tip()
    committer.commit([transition("done", "a")], tip)
    with pytest.raises(MovedError, match="moved by somebody else"):
        committer.commit([transition("done", "b")], tip)
    assert committer.is_resting
    committer.commit([transition("done", "c")], committer.ref.tip())
    committer.rest()
    assert transitions(place.work) == ["work: begin", "task: done a", "task: done c"]


def test_what_comes_after_a_child_was_told_to_finish_is_committed_by_another(place: places.Place) -> None:
    committer = Committer(worktree.ref_of(place, TrailSettings()), record=place.state / "child")
    tip = committer.commit([transition("done", "a")], committer.ref.tip())
    first = committer.pid
    committer.finish()
    committer.finish()
    committer.commit([transition("done", "b")], tip)
    assert committer.pid not in {0, first}
    committer.finish()
    committer.rest()
    assert committer.is_resting
    assert not (place.state / "child").exists()
    assert transitions(place.work) == ["work: begin", "task: done a", "task: done b"]


def test_an_index_in_which_a_merge_is_being_resolved_is_left_alone(place: places.Place) -> None:
    committer = Committer(worktree.ref_of(place, TrailSettings()), record=place.state / "child")
    assert place.common_dir is not None
    admin = admin_of(place.common_dir)
    assert admin is not None
    (place.work / "b").write_bytes(b"b\n")
    tip = committer.commit([transition("done", "a", Change(path="b", content=b"b\n"))], committer.ref.tip())
    committer.rest()
    blob = git(place.work, "rev-parse", f"{tip}:b")
    sides = "".join(f"100644 {blob} {stage}\tmerged\n" for stage in (1, 2, 3))
    subprocess.run(["git", "update-index", "--index-info"], cwd=place.work, input=sides.encode(), check=True)
    index = Index(admin, place.work)
    index.was_touched()
    assert not index.refresh(tip)
    assert git(place.work, "ls-files", "-u") != ""
    git(place.work, "update-index", "--force-remove", "merged")
    index.was_touched()
    assert index.refresh(tip)
    assert git(place.work, "status", "--porcelain") == ""


def test_a_branch_of_its_own_begins_under_a_prefix(repository: Path, tmp_path: Path) -> None:
    place = places.find(repository)
    ref = worktree.ref_of(place, TrailSettings(branch="private"))
    committer = Committer(ref, record=tmp_path / "record", prefix="work/")
    change = Change(path="a.yaml", content=b"a\n")
    committer.commit([transition("done", "a", change)], "")
    committer.rest()
    assert git(repository, "ls-tree", "-r", "--name-only", "private") == "work/a.yaml"
    assert not (tmp_path / "record").exists()


def test_a_file_that_became_a_folder_and_back_is_committed_so(place: places.Place) -> None:
    committer = Committer(worktree.ref_of(place, TrailSettings()), record=place.state / "child")
    comparison = Comparison(committer.ref.git, place.work)
    landing = landing_of(place, committer)
    (place.work / "a").write_text("file\n")
    landing.tip = landing.commit_differences(["a"], landing.tip, "recovered").tip
    (place.work / "a").unlink()
    (place.work / "a").mkdir()
    (place.work / "a" / "b").write_text("inside\n")
    landing.tip = landing.commit_differences(["a", "a/b"], landing.tip, "recovered").tip
    assert git(place.work, "ls-tree", "-r", "--name-only", landing.tip).split() == [".gitattributes", "a/b"]
    (place.work / "a" / "b").unlink()
    (place.work / "a").rmdir()
    (place.work / "a").write_text("file\n")
    landing.tip = landing.commit_differences(["a", "a/b"], landing.tip, "recovered").tip
    committer.rest()
    assert git(place.work, "ls-tree", "-r", "--name-only", landing.tip).split() == [".gitattributes", "a"]
    assert list(comparison.differences(["a", "a/b"], landing.tip)) == []


def test_a_huge_file_and_a_folder_behind_a_link_are_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(files.LARGEST + 1)
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert isinstance(files.read(tmp_path, "huge"), files.Unfit)
    assert files.read(tmp_path, "link/x") is None
    assert files.read(tmp_path, "real/x") == files.OnDisk(b"", executable=False)


# --- what a killed child leaves ----------------------------------------------------------------------------------


def ended_child() -> int:
    """The process id of something that ran and is dead."""
    with subprocess.Popen(["true"]) as process:
        return process.pid


@pytest.fixture
def ref(repository: Path) -> Ref:
    """The trail's branch, in a repository with packs."""
    git(repository, "repack", "-adq")
    return worktree.ref_of(places.find(repository), TrailSettings())


def test_exactly_what_a_dead_child_of_ours_left_is_taken_away(ref: Ref, tmp_path: Path) -> None:
    leftovers = Leftovers(ref, tmp_path / "record")
    packs = ref.git.folder / "objects" / "pack"
    whole = next(packs.glob("*.pack")).name.removesuffix(".pack")
    pid = ended_child()
    lock = ref.path.with_name("work.lock")
    lock.parent.mkdir(parents=True)
    ours = {f"{whole}.keep": "fast-import\n", "pack-cut.keep": "", "tmp_pack_a": "PACK"}
    theirs = {"pack-mine.keep": "a person's reason\n", "pack-old.keep": "fast-import\n", "tmp_pack_old": "PACK"}
    for name, text in {**ours, **theirs}.items():
        (packs / name).write_text(text)
    for name in ("pack-old.keep", "tmp_pack_old"):
        os.utime(packs / name, (1, 1))
    lock.touch()
    assert leftovers.clear() == []  # nothing is recorded
    leftovers.begin(pid)
    (ref.git.folder / f"fast_import_crash_{pid}").touch()
    whole_keep = packs / f"{whole}.keep"
    assert {*leftovers.clear(), whole_keep.name} == {*ours, "work.lock", f"fast_import_crash_{pid}"}
    assert whole_keep.exists()  # until what is in that pack is on the branch
    leftovers.release()
    assert not whole_keep.exists()
    assert {name for name in theirs if (packs / name).exists()} == set(theirs)
    assert not (tmp_path / "record").exists()


def test_nothing_is_taken_away_while_the_child_lives_or_somebody_has_it_open(ref: Ref, tmp_path: Path) -> None:
    leftovers = Leftovers(ref, tmp_path / "record")
    temporary = ref.git.folder / "objects" / "pack" / "tmp_pack_a"
    temporary.touch()
    leftovers.begin(os.getpid())
    assert leftovers.clear() == []
    leftovers.end()
    leftovers.begin(ended_child())
    with temporary.open():
        assert leftovers.clear() == []


def test_an_empty_keep_beside_a_pack_is_a_persons(ref: Ref, tmp_path: Path) -> None:
    leftovers = Leftovers(ref, tmp_path / "record")
    keep = next((ref.git.folder / "objects" / "pack").glob("*.pack")).with_suffix(".keep")
    keep.touch()
    leftovers.begin(ended_child())
    assert leftovers.clear() == []
    assert keep.exists()


class Swept(Committer):
    """A child that dies by itself after it finished its pack; a gc takes that pack away after the repeated batch."""

    turn = 0

    def _is_landed(self, wrote: str) -> bool:
        self.turn += 1
        if self.turn == 1:
            self._is_doubtful = True
            assert self._child is not None
            self._child.end()  # as after its own death: nothing is kept
            self._child = None
            self._leftovers.end()
            git(self.ref.git.folder, "update-ref", self.ref.name, self.before, wrote)
            raise DiedError("died")
        if self.turn == 2:
            for path in (self.ref.git.folder / "objects" / "pack").glob("pack-*"):
                if path.name not in self.others:
                    path.unlink()
        return super()._is_landed(wrote)

    before = ""
    others: frozenset[str] = frozenset()


def test_what_a_gc_takes_away_between_a_death_and_the_repetition_is_written_again(place: places.Place) -> None:
    committer = Swept(worktree.ref_of(place, TrailSettings()), record=place.state / "child")
    committer.before = tip = committer.ref.tip()
    committer.others = frozenset(path.name for path in (place.common_dir / "objects" / "pack").iterdir())
    batch = [transition("done", "a", Change(path="a.yaml", content=b"a\n"))]
    with pytest.raises(DiedError, match="died"):
        committer.commit(batch, tip)
    with pytest.raises(DiedError, match="took away"):
        committer.commit(batch, tip)
    assert committer.ref.tip() == tip
    committer.commit(batch, tip)
    committer.rest()
    assert transitions(place.work) == ["work: begin", "task: done a"]
    git(place.root, "fsck")


def test_a_branch_that_a_person_set_back_is_not_brought_forward_by_the_end_of_a_child(place: places.Place) -> None:
    committer = Committer(worktree.ref_of(place, TrailSettings()), record=place.state / "child")
    begin = committer.ref.tip()
    committer.commit([transition("done", "a")], begin)
    git(place.root, "update-ref", committer.ref.name, begin)
    committer.rest()
    assert committer.ref.tip() == begin
    assert not list(place.common_dir.rglob("*.keep"))
    assert not (place.state / "child").exists()


def test_a_child_killed_between_the_keep_file_and_its_pack_is_replayed(place: places.Place, tmp_path: Path) -> None:
    ref = worktree.ref_of(place, TrailSettings())
    batch = [transition("done", "a", Change(path="a.yaml", content=b"a\n"))]
    copy = tmp_path / "copy"
    shutil.copytree(ref.git.folder, copy)
    there = Committer(Ref(repository_git(copy), ref.name), record=tmp_path / "there")
    there.commit(batch, ref.tip())
    there.rest()
    before = {path.name for path in (ref.git.folder / "objects" / "pack").iterdir()}
    (name,) = {path.name for path in (copy / "objects" / "pack").glob("*.pack")} - before
    record = tmp_path / "record"
    Leftovers(ref, record).begin(ended_child())
    keep = ref.git.folder / "objects" / "pack" / name.replace(".pack", ".keep")
    keep.touch()
    committer = Committer(ref, record=record)
    committer.commit(batch, ref.tip())
    committer.rest()
    assert transitions(place.work)[-1] == "task: done a"
    assert not keep.exists()
