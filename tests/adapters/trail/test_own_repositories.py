"""Repositories of every kind: the same trail."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from trail_feeder import Feeder, assert_branch_is_disk, git, make_repository, on_branch, transition, transitions

from orchestrator.adapters import place as places
from orchestrator.adapters.trail import worktree
from orchestrator.adapters.trail.maintenance import Maintenance
from orchestrator.adapters.trail.none import NoTrail
from orchestrator.adapters.trail.own import OwnTrail
from orchestrator.adapters.trail.stream import PathRefusedError
from orchestrator.core.settings import TrailSettings
from orchestrator.core.transition import Change
from orchestrator.errors import NotFoundError

OpenTrail = Callable[[Path], OwnTrail]


def feed(trail: OwnTrail, folder: Path) -> places.Place:
    """A few tasks; afterwards branch, disk and the status in the work folder agree."""
    place = places.find(folder)
    with Feeder(trail, place.work) as feeder:
        feeder.await_more(12)
    assert trail.flush(30), trail.trouble
    trail.idle()
    assert_branch_is_disk(place)
    lines = git(place.work, "status", "--porcelain", "-uall").splitlines()
    assert [line for line in lines if "/inbox/" not in line] == []
    assert place.common_dir is not None
    assert len([line for line in transitions(place.common_dir) if line.startswith("task: ")]) == feeder.recorded
    return place


def test_a_repository_without_a_commit(tmp_path: Path, open_trail: OpenTrail) -> None:
    folder = tmp_path / "empty one"
    folder.mkdir()
    git(folder, "init", "-q")
    feed(open_trail(folder), folder)
    assert git(folder, "status", "--porcelain=v2", "--branch") == "# branch.oid (initial)\n# branch.head main"


def test_a_sha256_repository(tmp_path: Path, open_trail: OpenTrail) -> None:
    folder = make_repository(tmp_path / "r", "--object-format=sha256")
    feed(open_trail(folder), folder)
    assert len(git(folder, "rev-parse", "orchestrator/work")) == 64


def test_a_bare_repository(tmp_path: Path, open_trail: OpenTrail) -> None:
    folder = tmp_path / "server.git"
    git(tmp_path, "clone", "-q", "--bare", str(make_repository(tmp_path / "r")), str(folder))
    place = feed(open_trail(folder), folder)
    assert place.bare
    assert places.find(place.work).root == folder
    git(tmp_path, "clone", "-q", str(folder), "clone")


def test_a_linked_worktree_of_the_persons(repository: Path, open_trail: OpenTrail) -> None:
    git(repository, "worktree", "add", "-q", "../second")
    second = repository.parent / "second"
    place = feed(open_trail(second), second)
    assert place.work == second / "work"
    assert places.find(repository).work == place.work
    assert git(second, "status", "--porcelain") == ""
    assert git(repository, "status", "--porcelain") == ""


def test_a_repository_with_a_submodule_and_one_that_is_a_submodule(tmp_path: Path, open_trail: OpenTrail) -> None:
    inner, outer = make_repository(tmp_path / "inner"), make_repository(tmp_path / "outer")
    git(outer, "submodule", "--quiet", "add", str(inner), "sub")
    git(outer, "commit", "-qm", "sub")
    feed(open_trail(outer), outer)
    feed(open_trail(outer / "sub"), outer / "sub")
    assert git(outer, "status", "--porcelain") == ""
    git(outer, "submodule", "--quiet", "update", "--init")


def test_a_folder_of_the_repository_with_odd_letters(tmp_path: Path, open_trail: OpenTrail) -> None:
    folder = make_repository(tmp_path / "a [b]*c ü 'd")
    feed(open_trail(folder), folder)
    assert git(folder, "status", "--porcelain", "-uall") == ""


def test_packed_refs(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    with Feeder(trail, place.work) as feeder:
        for _ in range(3):
            git(repository, "pack-refs", "--all")
            feeder.await_more()
    feed_again = len([line for line in transitions(repository / ".git") if line.startswith("task: ")])
    assert trail.flush(30)
    assert feed_again <= feeder.recorded
    assert_branch_is_disk(place)


@pytest.mark.parametrize("conversion", ["true", "input"])
def test_conversion_of_line_ends_changes_no_byte(conversion: str, repository: Path, open_trail: OpenTrail) -> None:
    git(repository, "config", "core.autocrlf", conversion)
    git(repository, "config", "filter.shout.clean", "tr a-z A-Z")
    git(repository, "config", "core.attributesFile", str(repository.parent / "attributes"))
    (repository.parent / "attributes").write_text("*.yaml filter=shout\n")
    trail = open_trail(repository)
    place = places.find(repository)
    texts = {"lf": b"a: 1\nb: 2\n", "crlf": b"a: 1\r\nb: 2\r\n", "mixed": b"a\r\nb\nc\r", "bytes": bytes(range(256))}
    for name, content in texts.items():
        path = f"collaboration/{name}.yaml"
        intent = trail.intend([path])
        (place.work / path).parent.mkdir(exist_ok=True)
        (place.work / path).write_bytes(content)
        trail.record(intent, transition("done", name, Change(path=path, content=content)))
    assert trail.flush(30)
    trail.idle()
    assert_branch_is_disk(place)
    assert git(place.work, "status", "--porcelain") == ""
    git(place.work, "checkout", "-q", "--", ".")
    assert {name: (place.work / f"collaboration/{name}.yaml").read_bytes() for name in texts} == texts


def test_names_and_messages_of_every_kind_arrive_as_they_are(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    names = [
        'q"uo\\te',
        "new\nline",
        "tab\tx",
        "ünï 日本",
        "-dash",
        ":colon",
        "sp ace",
        "per%cent",
        "from :1",
        "\udcff",
    ]
    for name in names:
        path = f"collaboration/{name}.yaml"
        intent = trail.intend([path])
        (place.work / path).parent.mkdir(exist_ok=True)
        (place.work / path).write_text("x\n")
        (place.work / path).chmod(0o755)
        change = Change(path=path, content=b"x\n", executable=True)
        trail.record(intent, transition("done\nfrom evil", name, change))
    assert trail.flush(30)
    assert {mode for mode, _ in on_branch(repository / ".git").values()} == {"100755"}
    raw = subprocess.run(
        ["git", "ls-tree", "-r", "-z", "--name-only", "orchestrator/work"],
        cwd=repository,
        capture_output=True,
        check=True,
    ).stdout
    wanted = {f"collaboration/{name}.yaml".encode("utf-8", "surrogateescape") for name in names}
    assert set(raw.rstrip(b"\0").split(b"\0")) == wanted | {b".gitattributes"}
    trail.idle()
    assert git(place.work, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../x", "a/../b", "a//b", ".git/config", "a/.GIT/x", "a/", "nul\0"]
)
def test_a_path_that_no_tree_can_have_is_refused_at_once(path: str, repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    with pytest.raises(PathRefusedError, match="cannot be committed"):
        trail.record(trail.intend([path]), transition("done", "x", Change(path=path, content=b"")))
    assert trail.backlog == 0


def test_without_a_name_the_program_commits_as_itself(
    repository: Path, open_trail: OpenTrail, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    git(repository, "config", "user.useConfigOnly", "true")
    feed(open_trail(repository), repository)
    assert git(repository, "log", "-1", "--format=%cn <%ce>", "orchestrator/work").startswith(
        "orchestrator <orchestrator@"
    )


def test_the_configured_person_commits(repository: Path, open_trail: OpenTrail) -> None:
    git(repository, "config", "user.name", "Ada Lovelace")
    feed(open_trail(repository), repository)
    assert (
        git(repository, "log", "-1", "--format=%an <%ae>", "orchestrator/work")
        == "Ada Lovelace <tester@example.invalid>"
    )


def test_packs_are_merged_when_idle(repository: Path, open_trail: OpenTrail) -> None:
    trail = open_trail(repository)
    place = places.find(repository)
    feeder = Feeder(trail, place.work)
    for number in range(60):
        feeder.one(number)
        assert trail.flush(30)
    upkeep = Maintenance(worktree.ref_of(place, TrailSettings()))
    trail.idle()
    assert upkeep.packs() <= 10
    assert trail.notes == ()
    feeder.one(60)
    assert trail.flush(30)
    assert_branch_is_disk(place)
    git(repository, "fsck", "--no-dangling")


def test_creating_twice_changes_nothing(repository: Path) -> None:
    worktree.create(places.find(repository), TrailSettings())
    before = git(repository, "rev-parse", "orchestrator/work"), (repository / ".git/info/exclude").read_text()
    worktree.create(places.find(repository), TrailSettings())
    assert before == (git(repository, "rev-parse", "orchestrator/work"), (repository / ".git/info/exclude").read_text())
    assert before[1].count("/work/") == 1


def test_a_second_clone_of_the_branch_gets_its_files(repository: Path, tmp_path: Path, open_trail: OpenTrail) -> None:
    place = feed(open_trail(repository), repository)
    git(tmp_path, "clone", "-q", str(repository), "clone")
    clone = tmp_path / "clone"
    git(clone, "branch", "-q", "orchestrator/work", "origin/orchestrator/work")
    open_trail(clone)
    assert on_branch(clone / ".git") == on_branch(place.work)
    assert_branch_is_disk(places.find(clone))
    assert git(clone / "work", "status", "--porcelain") == ""


def test_no_repository_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="git init"):
        worktree.create(places.find(tmp_path, use_git=False), TrailSettings())


def test_no_trail_takes_everything() -> None:
    trail = NoTrail()
    trail.record(trail.intend(["x"]), transition("done", "x"))
    assert (trail.flush(0), trail.backlog, trail.trouble, trail.tip(), trail.recover().commits) == (True, 0, "", "", 0)
    trail.idle()
    trail.close()
