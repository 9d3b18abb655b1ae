"""A person works inside the work folder, or takes it away, while tasks flow: the branch is as the disk is."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from trail_feeder import AGENT, Feeder, assert_branch_is_disk, await_that, git, make_repository, on_branch, transitions

from orchestrator.adapters import place as places
from orchestrator.adapters.trail import worktree
from orchestrator.adapters.trail.own import OwnTrail
from orchestrator.core.settings import TrailSettings
from orchestrator.errors import OrchestratorError

OpenTrail = Callable[[Path], OwnTrail]
SETTINGS = TrailSettings()
NOTES = "collaboration/notes.md"


def settled(trail: OwnTrail, place: places.Place) -> None:
    """Everything handed over is durable, and the house is in order."""
    assert trail.flush(30), trail.trouble
    trail.idle()
    await_that(lambda: is_clean(trail, place), f"a clean status in work/: {git(place.work, 'status', '--short')}")


def await_branch_is_disk(place: places.Place) -> None:
    """What a person's command did to files is noticed in a second or two, while nothing else goes on."""
    try:
        await_that(lambda: is_branch_disk(place), "the branch as the disk", seconds=10)
    except AssertionError:
        assert_branch_is_disk(place)
        raise


def is_branch_disk(place: places.Place) -> bool:
    """Whether it is."""
    try:
        assert_branch_is_disk(place)
    except AssertionError:
        return False
    return True


def is_clean(trail: OwnTrail, place: places.Place) -> bool:
    """Whether git sees no difference in the work folder, tasks that wait in the inbox aside."""
    trail.idle()
    lines = git(place.work, "status", "--porcelain", "-uall").splitlines()
    return all("/inbox/" in line for line in lines)


IN_WORK = {
    "commits a file": [f"echo n > {NOTES}; git add {NOTES}; git commit -qm mine"],
    "commits everything at once": [f"echo n > {NOTES}; git add -A; git commit -qm mine"],
    "commits with a stale index": [
        f"cp $(git rev-parse --git-dir)/index ../old; echo n > {NOTES}",
        f"GIT_INDEX_FILE=$PWD/../old git add {NOTES}; GIT_INDEX_FILE=$PWD/../old git commit -qm stale",
    ],
    "amends our commit": ["git commit -q --amend --no-edit --allow-empty"],
    "resets to an older commit": ["git reset -q --hard HEAD~3"],
    "resets to the same commit": ["git reset -q --hard"],
    "stashes": ["git stash -q -u; git stash pop -q || true; git checkout -q -f; git stash drop -q || true"],
}


@pytest.mark.parametrize("name", IN_WORK)
def test_what_a_person_does_in_the_work_folder_ends_with_the_branch_as_the_disk(
    name: str, repository: Path, open_trail: OpenTrail
) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        feeder.await_more(30)
        for step in IN_WORK[name]:
            shell(place.work, step)
            feeder.await_more()
    if name == "stashes":  # what it brings back is staged, and stays so
        assert trail.flush(30)
    else:
        settled(trail, place)
    await_branch_is_disk(place)
    git(repository, "fsck", "--connectivity-only", "--no-dangling")
    if "commits" in name:
        assert (place.work / NOTES).read_text() == "n\n"
        assert len(
            [line for line in transitions(place.common_dir) if line.startswith("task:") and "repaired" not in line]
        ) == (feeder.recorded)
        assert all((place.work / path).exists() for path in feeder.finished)


def shell(folder: Path, step: str) -> None:
    """A line of a person's; it may meet a lock of ours or a moved branch, and is then typed again."""
    for _ in range(20):
        ended = subprocess.run(["sh", "-ec", step], cwd=folder, capture_output=True, text=True, check=False)
        if ended.returncode == 0:
            return
    raise AssertionError(ended.stderr)


def test_what_a_person_removes_with_git_stays_removed(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        feeder.await_more(30)
        trail.idle()
        gone = feeder.finished[0]
        shell(place.work, f"git rm -q --ignore-unmatch {gone}; git commit -q --allow-empty -m away")
        feeder.await_more()
    settled(trail, place)
    assert not (place.work / gone).exists()
    assert gone not in on_branch(place.common_dir)
    assert_branch_is_disk(place)


def test_what_a_person_deletes_while_no_daemon_runs_stays_away_and_what_they_commit_stays(
    repository: Path, open_trail: OpenTrail
) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        feeder.await_more(12)
    trail.close()
    gone = feeder.finished[0]
    git(place.work, "rm", "-q", gone)
    (place.work / NOTES).write_text("n\n")
    git(place.work, "add", NOTES)
    git(place.work, "commit", "-q", "-m", "mine")
    again = open_trail(repository)
    settled(again, place)
    assert gone not in on_branch(place.common_dir)
    assert NOTES in on_branch(place.common_dir)
    assert_branch_is_disk(place)


def test_what_a_person_staged_in_the_work_folder_stays_staged(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        feeder.await_more(12)
        (place.work / NOTES).write_text("n\n")
        shell(place.work, f"git add {NOTES}")
        feeder.await_more(12)
    assert trail.flush(30)
    for _ in range(2):
        trail.idle()
    assert git(place.work, "diff", "--cached", "--name-status") == f"A\t{NOTES}"
    lines = git(place.work, "status", "--porcelain").splitlines()
    assert [line for line in lines if "/inbox/" not in line] == [f"A  {NOTES}"]


def test_the_index_follows_by_itself_soon_after_the_last_commit(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    feeder = Feeder(trail, place.work)
    feeder.one(1)
    assert trail.flush(30)
    await_that(lambda: git(place.work, "status", "--porcelain") == "", "a clean status")


def test_a_lock_on_the_index_is_waited_for_and_never_taken_away(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    lock = Path(git(place.work, "rev-parse", "--absolute-git-dir")) / "index.lock"
    lock.touch()
    Feeder(trail, place.work).one(1)
    assert trail.flush(30)
    trail.idle()
    assert lock.exists()
    assert git(place.work, "diff", "--cached", "--name-only", check=False)
    lock.unlink()
    settled(trail, place)


@pytest.mark.parametrize("how", ["git clean -ffdx", "rm -rf work", "rm -f work/.git", "mv work elsewhere"])
def test_a_work_folder_that_is_taken_away_comes_back_and_is_said(
    how: str, repository: Path, open_trail: OpenTrail
) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        feeder.await_more(12)
    settled(trail, place)
    before = on_branch(place.common_dir)
    trail.close()
    shell(repository, how)
    assert places.find(repository).work == place.work
    again = OwnTrail(places.find(repository), SETTINGS)
    said = again.recover()
    try:
        assert said.restored == (how != "rm -f work/.git")
        assert said.notes
        settled(again, place)
        assert {path: entry for path, entry in on_branch(place.common_dir).items() if "/inbox/" not in path} == before
        assert_branch_is_disk(place)
    finally:
        again.close()


def test_a_work_folder_deleted_under_a_running_trail_comes_back_when_idle(
    repository: Path, open_trail: OpenTrail
) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        feeder.await_more(12)
        shutil.rmtree(place.work, ignore_errors=True)
        feeder.await_more(12)
    settled(trail, place)
    assert any("was gone" in note for note in trail.notes)
    assert_branch_is_disk(place)
    assert all((place.work / path).exists() for path in feeder.finished)


def test_a_deleted_branch_comes_back(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        feeder.await_more(12)
        git(repository, "update-ref", "-d", "refs/heads/orchestrator/work")
        feeder.await_more(12)
    settled(trail, place)
    assert_branch_is_disk(place)
    assert len([line for line in transitions(place.common_dir) if line.startswith("task: ")]) == feeder.recorded


def test_a_branch_deleted_with_its_commits_begins_anew_with_what_is_on_disk(
    repository: Path, open_trail: OpenTrail
) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        feeder.await_more(12)
    trail.close()
    git(repository, "update-ref", "-d", "refs/heads/orchestrator/work")
    shutil.rmtree(place.common_dir / "logs")
    (place.common_dir / "worktrees" / "work" / "index").unlink()
    git(repository, "reflog", "expire", "--expire=now", "--all")
    git(repository, "-c", "gc.pruneExpire=now", "gc", "-q", "--prune=now")
    again = open_trail(repository)
    settled(again, place)
    assert_branch_is_disk(place)


def test_a_moved_repository_finds_its_work_folder_again(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    with Feeder(trail, places.find(repository).work) as feeder:
        feeder.await_more(12)
    trail.close()
    moved = repository.parent.parent / "moved here" / "repository"
    moved.parent.mkdir()
    shutil.move(repository, moved)
    assert places.find(moved / "work").root == moved
    again = open_trail(moved)
    place = places.find(moved)
    assert place.work == moved / "work"
    settled(again, place)
    assert_branch_is_disk(place)


def test_a_copied_repository_has_a_work_folder_of_its_own(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    with Feeder(trail, places.find(repository).work) as feeder:
        feeder.await_more(12)
    trail.close()
    copy = repository.with_name("copy")
    shutil.copytree(repository, copy, symlinks=True)
    again = open_trail(copy)
    place = places.find(copy)
    assert place.work == copy / "work"
    with Feeder(again, place.work, name="c") as more:
        more.await_more()
    settled(again, place)
    assert_branch_is_disk(place)
    assert "task: done c00000" not in transitions(repository / ".git")
    assert git(repository / "work", "status", "--porcelain") == ""


@pytest.mark.parametrize("damage", ["unlock and prune", "no marker", "no HEAD", "no index", "a torn index"])
def test_a_damaged_registration_is_made_whole(damage: str, repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        feeder.await_more(12)
    trail.close()
    admin = place.common_dir / "worktrees" / "work"
    match damage:
        case "unlock and prune":
            git(repository, "worktree", "unlock", "work")
            shutil.move(place.work, repository / "aside")
            git(repository, "worktree", "prune")
            shutil.move(repository / "aside", place.work)
        case "no marker":
            (admin / places.WORK_MARKER).unlink()
        case "no HEAD":
            (admin / "HEAD").unlink()
        case "no index":
            (admin / "index").unlink()
        case _:
            (admin / "index").write_bytes((admin / "index").read_bytes()[:100])
    again = open_trail(repository)
    with Feeder(again, place.work, name="u") as more:
        more.await_more()
    settled(again, place)
    assert_branch_is_disk(place)
    assert all((place.work / path).exists() for path in feeder.finished)


def test_another_branch_checked_out_in_the_work_folder_is_said_with_the_way_back(
    repository: Path, open_trail: OpenTrail
) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    trail.close()
    git(place.work, "switch", "-q", "-c", "elsewhere")
    again = OwnTrail(place, SETTINGS)
    with pytest.raises(OrchestratorError, match=r"has elsewhere checked out; .* switch orchestrator/work"):
        again.recover()
    again.close()
    assert (place.work / ".gitattributes").exists()


def test_files_of_a_persons_are_the_first_commit(repository: Path, open_trail: OpenTrail) -> None:
    folder = repository / "work" / AGENT
    folder.mkdir(parents=True)
    (folder / "x.yaml").write_text("id: x\n")
    (folder / ".gitkeep").touch()
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    open_trail(repository)
    place = places.find(repository)
    assert transitions(place.common_dir) == ["work: begin"]
    names = git(repository, "ls-tree", "-r", "--format=%(objectmode) %(path)", "orchestrator/work").splitlines()
    assert names == [
        "100644 .gitattributes",
        f"100644 {AGENT}/.gitkeep",
        f"100755 {AGENT}/run.sh",
        f"100644 {AGENT}/x.yaml",
    ]
    assert git(place.work, "status", "--porcelain") == ""
    assert git(repository, "status", "--porcelain") == ""


def test_a_work_folder_that_is_tracked_here_is_refused_naming_tracked_mode(repository: Path) -> None:
    (repository / "work").mkdir()
    (repository / "work" / "x").touch()
    git(repository, "add", ".")
    with pytest.raises(OrchestratorError, match=r"trail.mode: tracked"):
        worktree.create(places.find(repository), SETTINGS)
    assert git(repository, "status", "--porcelain") == "A  work/x"


def test_a_gitignore_that_brings_the_folder_back_is_refused_by_its_line(repository: Path) -> None:
    (repository / ".gitignore").write_text("*.log\n!/work/\n")
    with pytest.raises(OrchestratorError, match=r".gitignore:2:!/work/: brings work/ back"):
        worktree.create(places.find(repository), SETTINGS)


def test_a_branch_that_is_checked_out_elsewhere_is_refused(repository: Path) -> None:
    git(repository, "worktree", "add", "-q", "-b", "orchestrator/work", "../theirs")
    with pytest.raises(OrchestratorError, match=r"git worktree remove"):
        worktree.create(places.find(repository), SETTINGS)


@pytest.mark.parametrize("kind", ["link", "repository"])
def test_a_work_folder_that_is_something_else_is_refused(kind: str, repository: Path, tmp_path: Path) -> None:
    if kind == "link":
        (repository / "work").symlink_to(tmp_path)
    else:
        make_repository(repository / "work")
    with pytest.raises(OrchestratorError, match=r"link or a file|repository of its own"):
        worktree.create(places.find(repository), SETTINGS)
    assert places.registered_work(repository / ".git") is None


def test_what_a_person_undoes_while_no_daemon_runs_is_noticed(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        feeder.await_more(12)
    settled(trail, place)
    trail.close()
    git(place.work, "rm", "-q", feeder.finished[0])
    (place.work / NOTES).write_text("n\n")
    again = open_trail(repository)
    again.idle()
    await_that(lambda: NOTES in on_branch(place.common_dir), "what they left there")
    await_branch_is_disk(place)
    assert feeder.finished[0] not in on_branch(place.common_dir)
