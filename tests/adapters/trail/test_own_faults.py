"""Whatever dies, fills up or is locked: what was acknowledged is on the branch, and nothing is committed twice."""

import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from trail_feeder import Feeder, assert_branch_is_disk, await_that, git, make_repository, transition, transitions

from orchestrator.adapters import place as places
from orchestrator.adapters.trail import worktree
from orchestrator.adapters.trail.own import OwnTrail
from orchestrator.core.settings import TrailSettings
from orchestrator.core.transition import Change

OpenTrail = Callable[[Path], OwnTrail]
SETTINGS = TrailSettings()


def told(common: Path) -> list[str]:
    """What the pipeline recorded, without what was recovered or repaired."""
    return [
        line
        for line in transitions(common)
        if line.startswith("task: ") and line.split()[1] in {"claimed", "started", "done"}
    ]


def assert_each_once(feeder: Feeder, place: places.Place) -> None:
    """Every transition is on the branch, once, and the branch is as the disk is."""
    assert feeder.trail.flush(60), feeder.trail.trouble
    assert place.common_dir is not None
    lines = told(place.common_dir)
    assert len(lines) == len(set(lines)) == feeder.recorded
    assert_branch_is_disk(place)
    git(place.root, "fsck", "--no-dangling")


def test_a_killed_child_costs_nothing(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    chance = random.Random(7)
    with Feeder(trail, place.work, pause=0.0005) as feeder:
        for _ in range(12):
            await_that(lambda: bool(trail.child), "a child")
            child, wanted = trail.child, feeder.recorded + chance.randrange(1, 60)
            await_that(lambda wanted=wanted: feeder.recorded >= wanted, "some more")
            try:
                os.kill(child, signal.SIGKILL)
            except ProcessLookupError:
                continue
    assert_each_once(feeder, place)
    assert trail.trouble == ""


def test_garbage_collection_all_the_time_costs_nothing(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        for number in range(4):
            git(repository, "gc", "-q", "--prune=now")
            git(repository, "repack", "-adq")
            (repository / "main.py").write_text(f"{number}\n")
            git(repository, "commit", "-qam", f"{number}")
            feeder.await_more()
    assert_each_once(feeder, place)


def test_commits_by_somebody_else_all_the_time_cost_nothing(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    mine = 0
    with Feeder(trail, place.work, pause=0.0005) as feeder:
        feeder.await_more()
        for _ in range(60):
            tip = git(repository, "rev-parse", "orchestrator/work")
            commit = git(repository, "commit-tree", "-p", tip, "-m", "theirs", f"{tip}^{{tree}}")
            ended = subprocess.run(
                ["git", "update-ref", "refs/heads/orchestrator/work", commit, tip],
                cwd=repository, capture_output=True, check=False,
            )  # fmt: skip
            mine += ended.returncode == 0
    assert_each_once(feeder, place)
    assert transitions(repository / ".git").count("theirs") == mine > 0


RECORDER = """
    import sys
    from pathlib import Path
    sys.path.insert(0, {here!r})
    from trail_feeder import Feeder
    from orchestrator.adapters import place as places
    from orchestrator.adapters.trail.own import OwnTrail
    from orchestrator.core.settings import TrailSettings
    place = places.find(Path(sys.argv[1]))
    trail = OwnTrail(place, TrailSettings())
    trail.recover()
    feeder = Feeder(trail, place.work, name=sys.argv[2])
    number = 0
    while True:
        for _ in range(3):
            feeder.one(number)
            number += 1
        assert trail.flush(30)
        print(number, flush=True)
"""


def test_a_killed_daemon_loses_nothing_that_was_acknowledged(repository: Path, open_trail: OpenTrail) -> None:
    worktree.create(places.find(repository), SETTINGS)
    place = places.find(repository)
    assert place.common_dir is not None
    chance = random.Random(3)
    code = textwrap.dedent(RECORDER.format(here=str(Path(__file__).parent)))
    for turn in range(6):
        acknowledged = run_and_kill(code, repository, f"k{turn}-", chance)
        # What a killed git child still does, it does now: it reads the end of its input.
        trail = OwnTrail(place, SETTINGS)
        trail.recover()
        trail.close()
        assert_branch_is_disk(place)
        lines = set(told(place.common_dir))
        for number in range(acknowledged):
            for word in ("claimed", "started", "done"):
                assert f"task: {word} k{turn}-{number:05d}" in lines
    lines = told(place.common_dir)
    assert len(lines) == len(set(lines))
    git(repository, "fsck", "--no-dangling")
    left = [
        path.name for path in place.common_dir.rglob("*") if path.name.startswith(("tmp_pack", "fast_import_crash"))
    ]
    left += [path.name for path in place.common_dir.rglob("*") if path.suffix in {".keep", ".lock"}]
    assert left == []


def run_and_kill(code: str, repository: Path, name: str, chance: random.Random) -> int:
    """Lets a process record until a random moment, kills it, and its git child with it half of the times."""
    with subprocess.Popen(
        [sys.executable, "-c", code, str(repository), name],
        stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3],
    ) as process:  # fmt: skip
        assert process.stdout is not None
        acknowledged = 0
        for _ in range(chance.randrange(2, 8)):
            acknowledged = int(process.stdout.readline())
        await_that(lambda: True, "")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        every = [int(pid) for task in children.parents[1].iterdir() for pid in (task / "children").read_text().split()]
        process.kill()
        if chance.random() < 0.5:
            for pid in every:
                os.kill(pid, signal.SIGKILL)
        rest = process.stdout.read().split()
    for pid in every:
        await_that(lambda pid=pid: not Path(f"/proc/{pid}").exists() or is_zombie(pid), "the end of its children")
    return int(rest[-1]) if rest else acknowledged


def is_zombie(pid: int) -> bool:
    """Whether it ended and only its parent has not asked."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def one_change(trail: OwnTrail, place: places.Place, name: str, size: int = 0) -> None:
    """A file on disk and its transition."""
    path = f"collaboration/{name}.yaml"
    intent = trail.intend([path])
    (place.work / path).parent.mkdir(parents=True, exist_ok=True)
    content = os.urandom(size) or b"x\n"
    (place.work / path).write_bytes(content)
    trail.record(intent, transition("done", name, Change(path=path, content=content)))


def test_objects_that_cannot_be_written_are_said_and_waited_for(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    packs = repository / ".git" / "objects" / "pack"
    shutil.move(packs, packs.with_name("aside"))
    packs.touch()
    one_change(trail, place, "a")
    await_that(lambda: bool(trail.trouble), "trouble")
    assert "nothing is lost" in trail.trouble
    assert trail.backlog == 1
    assert not trail.flush(0.05)
    packs.unlink()
    shutil.move(packs.with_name("aside"), packs)
    assert trail.flush(30)
    assert trail.trouble == ""
    assert_branch_is_disk(place)


def test_a_lock_of_somebody_elses_is_named_and_waited_for(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    lock = repository / ".git" / "refs" / "heads" / "orchestrator" / "work.lock"
    lock.touch()
    os.utime(lock, (1, 1))
    one_change(trail, place, "a")
    await_that(lambda: "work.lock" in trail.trouble, "trouble that names the lock")
    assert lock.exists()
    lock.unlink()
    assert trail.flush(30)
    assert trail.trouble == ""


def test_what_was_not_committed_before_closing_is_recovered(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    assert place.common_dir is not None
    path = "collaboration/done/dev/2026-11-21/late.yaml"
    trail.intend([path])
    (place.work / path).parent.mkdir(parents=True)
    (place.work / path).write_text("late\n")
    trail.close()
    again = OwnTrail(place, SETTINGS)
    said = again.recover()
    again.close()
    assert (said.commits, said.paths, said.restored) == (1, (path,), False)
    assert transitions(place.common_dir)[-1] == "task: recovered late"
    message = git(repository, "log", "-1", "--format=%(trailers:only)", "orchestrator/work")
    assert message == "Task-Id: late\nTask-Transition: recovered"


@pytest.mark.parametrize("loss", ["the journal", "another boot", "an unknown tip"])
def test_everything_is_compared_where_the_journal_cannot_say(
    loss: str, repository: Path, open_trail: OpenTrail
) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        feeder.await_more(12)
    trail.close()
    (place.work / "collaboration/done/dev/extra.yaml").write_text("extra\n")
    (place.work / "collaboration/done/dev/.hidden.yaml").write_text("half\n")
    (place.work / "collaboration/done/dev/half.yaml.tmp").write_text("half\n")
    (place.work / "collaboration/done/dev/link.yaml").symlink_to("/etc/passwd")
    (place.work / feeder.finished[0]).unlink()
    changed = place.work / feeder.finished[1]
    before = changed.stat()
    changed.write_text("status: n't\n".rjust(before.st_size - 1) + "\n")
    os.utime(changed, ns=(before.st_atime_ns, before.st_mtime_ns))
    journal = place.state / "trail.journal"
    match loss:
        case "the journal":
            journal.unlink()
        case "another boot":
            journal.write_text(journal.read_text().replace(boot_of(journal), "0" * 36))
        case _:
            journal.write_text(journal.read_text().replace(trail.tip(), "1" * 40))
    again = OwnTrail(place, SETTINGS)
    said = again.recover()
    again.close()
    assert set(said.paths) >= {"collaboration/done/dev/extra.yaml", *feeder.finished[:2]}
    assert any("link.yaml is a link" in note for note in said.notes)
    assert not any("hidden" in path or "tmp" in path or "link" in path for path in said.paths)
    assert_branch_is_disk(place)


def boot_of(journal: Path) -> str:
    """As its first line says."""
    return journal.read_text().split('"')[3]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"mounting is not permitted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """Until nothing more fits."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)


def test_a_full_disk_is_said_and_waited_for(small_disk: Path, open_trail: OpenTrail) -> None:
    repository = make_repository(small_disk / "repository")
    trail = open_trail(repository)
    place = places.find(repository)
    one_change(trail, place, "before")
    assert trail.flush(30)
    path = "collaboration/a.yaml"
    intent = trail.intend([path])
    (place.work / path).write_text("a\n")
    filler = small_disk / "filler"
    fill(filler)
    with pytest.raises(OSError, match="No space left"):
        trail.intend(["collaboration/" + "b" * 5000])
    trail.record(intent, transition("done", "a", Change(path=path, content=b"a\n")))
    await_that(lambda: bool(trail.trouble), "trouble")
    assert "free some space" in trail.trouble or "nothing is lost" in trail.trouble
    filler.unlink()
    assert trail.flush(30)
    assert trail.trouble == ""
    one_change(trail, place, "after")
    assert trail.flush(30)
    assert_branch_is_disk(place)


def test_a_read_only_repository_is_said_and_waited_for(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    dot = str(repository / ".git")
    path = "collaboration/a.yaml"
    intent = trail.intend([path])  # the journal's file is open from before: as when a disk turns read-only
    if subprocess.run(["mount", "--bind", dot, dot], capture_output=True, check=False).returncode:
        pytest.skip("mounting is not permitted here")
    try:
        (place.work / path).parent.mkdir()
        (place.work / path).write_text("a\n")
        subprocess.run(["mount", "-o", "remount,bind,ro", dot], check=True)
        trail.record(intent, transition("done", "a", Change(path=path, content=b"a\n")))
        await_that(lambda: bool(trail.trouble), "trouble")
        assert "make it writable" in trail.trouble
    finally:
        subprocess.run(["umount", "-l", dot], check=True)
    assert trail.flush(30)
    assert trail.trouble == ""
    assert_branch_is_disk(place)
