"""Intake on real git: whatever way a task file comes to the branch, it is offered once."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.adapters.git import Git
from orchestrator.adapters.intake import Intake, Offer
from orchestrator.core.settings import IntakeSettings
from orchestrator.core.types import TaskId

TASK = "agent: backend-dev\ntitle: {}\n"


class Person:
    """Somebody who works with git as people do: porcelain, their own checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *args: str, fails: bool = False) -> str:
        ended = subprocess.run(("git", *args), cwd=self.folder, capture_output=True, text=True, check=False)
        assert (ended.returncode != 0) is fails, ended.stderr
        return ended.stdout.strip()

    def write(self, path: str, text: str = "") -> str:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text or TASK.format(path))
        return path

    def commits(self, *paths: str, message: str = "add tasks") -> str:
        for path in paths:
            if not (self.folder / path).exists():
                self.write(path)
        self.git("add", "--all", "--", *paths)
        self.git("commit", "-qm", message)
        return self.git("rev-parse", "HEAD")


class Daemon:
    """The caller of intake: it remembers what it took, as the events do."""

    def __init__(self, folder: Path, branch: str = "main", paths: tuple[str, ...] = ("tasks/",)) -> None:
        self.taken: set[tuple[str, str]] = set()
        self.known: set[TaskId] = set()
        self.asked = 0
        settings = IntakeSettings(branch=branch, paths=paths)
        self.intake = Intake(Git(folder), settings, is_taken=self._is_taken, is_known=self.known.__contains__)

    def _is_taken(self, path: str, blob: str) -> bool:
        self.asked += 1
        return (path, blob) in self.taken

    def takes(self, limit: int = 256) -> list[Offer]:
        offers = self.intake.find(limit)
        self.taken |= {(offer.path, offer.blob) for offer in offers}
        self.known |= {TaskId(offer.name.rpartition(".")[0]) for offer in offers}
        return offers

    def names(self) -> list[str]:
        return [offer.name for offer in self.takes()]


@pytest.fixture
def person(tmp_path: Path) -> Person:
    subprocess.run(("git", "init", "-q", "-b", "main", str(tmp_path / "repo")), check=True)
    somebody = Person(tmp_path / "repo")
    somebody.commits("README.md", message="start")
    return somebody


@pytest.fixture
def daemon(person: Person) -> Iterator[Daemon]:
    caller = Daemon(person.folder)
    yield caller
    # The law of every situation below: what was offered is never offered again, by a fresh look either.
    fresh = Daemon(person.folder)
    fresh.taken |= caller.taken
    fresh.known |= caller.known
    assert fresh.intake.find() == []
    assert caller.intake.find() == []


def test_a_committed_task_file_is_offered_with_its_origin(person: Person, daemon: Daemon) -> None:
    commit = person.commits("tasks/one.yaml")
    (offer,) = daemon.takes()
    assert offer == Offer(
        path="tasks/one.yaml",
        blob=person.git("rev-parse", "HEAD:tasks/one.yaml"),
        commit=commit,
        name="one.yaml",
        content=TASK.format("tasks/one.yaml").encode(),
        author="Tester <tester@example.invalid>",
    )
    assert offer.task_id == "one"


def test_an_offer_that_was_not_taken_is_made_again(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/one.yaml")
    assert [offer.name for offer in daemon.intake.find()] == ["one.yaml"]
    assert daemon.names() == ["one.yaml"]


def test_two_files_of_one_commit_are_both_offered(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/one.yaml", "tasks/deep/er/two.yml")
    assert daemon.names() == ["two.yml", "one.yaml"]


def test_what_is_no_task_name_or_lies_elsewhere_is_not_offered(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/notes.md", "tasks/.hidden.yaml", "tasks/a.yaml~", "other/x.yaml", "tasks2/y.yaml")
    assert daemon.names() == []
    assert daemon.intake.passed_over == ()


@pytest.mark.parametrize("how", [("merge", "-q", "--no-ff", "topic"), ("merge", "-q", "--ff-only", "topic")])
def test_a_task_that_comes_by_merge_is_offered_once_with_the_commit_that_added_it(
    person: Person, daemon: Daemon, how: tuple[str, ...]
) -> None:
    person.git("switch", "-qc", "topic")
    commit = person.commits("tasks/one.yaml")
    assert daemon.names() == []  # another branch is none of our business
    person.git("switch", "-q", "main")
    person.git(*how)
    assert [offer.commit for offer in daemon.takes()] == [commit]
    person.commits("more.txt")
    assert daemon.names() == []


def test_a_topic_that_is_merged_rebased_and_merged_again_is_offered_once(person: Person, daemon: Daemon) -> None:
    person.git("switch", "-qc", "topic")
    person.commits("tasks/one.yaml")
    person.git("switch", "-q", "main")
    person.git("merge", "-q", "--no-ff", "topic")
    assert daemon.names() == ["one.yaml"]
    start = person.git("rev-list", "--max-parents=0", "main")
    person.git("reset", "-q", "--hard", start)
    assert daemon.names() == []
    person.commits("more.txt")
    person.git("rebase", "-q", "main", "topic")
    person.git("switch", "-q", "main")
    person.git("merge", "-q", "--no-ff", "topic")
    assert daemon.names() == []


def test_a_cherry_pick_of_a_taken_task_is_not_offered_again(person: Person, daemon: Daemon) -> None:
    person.git("switch", "-qc", "topic")
    commit = person.commits("tasks/one.yaml")
    person.git("switch", "-q", "main")
    person.commits("more.txt")
    person.git("cherry-pick", commit)
    assert daemon.names() == ["one.yaml"]
    person.git("merge", "-q", "topic")
    assert daemon.names() == []


def test_a_revert_and_a_second_commit_of_it_is_not_offered_again(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/one.yaml")
    assert daemon.names() == ["one.yaml"]
    person.git("revert", "--no-edit", "HEAD")
    assert daemon.names() == []
    person.git("revert", "--no-edit", "HEAD")
    assert daemon.names() == []


def test_a_file_that_is_gone_again_before_anybody_looked_is_not_offered(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/one.yaml")
    person.git("rm", "-q", "tasks/one.yaml")
    person.git("commit", "-qm", "think again")
    assert daemon.names() == []


def test_an_amended_commit_offers_only_what_the_amendment_added(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/one.yaml")
    assert daemon.names() == ["one.yaml"]
    person.git("add", person.write("tasks/two.yaml"))
    person.git("commit", "-q", "--amend", "--no-edit")
    assert daemon.names() == ["two.yaml"]


def test_a_force_push_to_another_history_offers_only_what_is_new(
    person: Person, daemon: Daemon, tmp_path: Path
) -> None:
    person.commits("tasks/one.yaml")
    assert daemon.names() == ["one.yaml"]
    subprocess.run(("git", "clone", "-q", str(person.folder), str(tmp_path / "clone")), check=True)
    other = Person(tmp_path / "clone")
    other.git("switch", "-q", "--orphan", "fresh")
    other.commits("tasks/two.yaml")
    person.git("switch", "-q", "--detach")
    other.git("push", "-qf", "origin", "fresh:main")
    person.git("reflog", "expire", "--expire=now", "--all")
    assert daemon.names() == ["two.yaml"]


def test_the_base_of_the_last_look_may_be_collected(person: Person, daemon: Daemon) -> None:
    start = person.git("rev-parse", "HEAD")
    person.commits("tasks/one.yaml")
    assert daemon.names() == ["one.yaml"]
    assert daemon.names() == []  # settled: the next look starts from this tip
    person.git("reset", "-q", "--hard", start)
    person.git("reflog", "expire", "--expire=now", "--all")
    person.git("prune", "--expire=now")
    person.commits("tasks/two.yaml")
    assert daemon.names() == ["two.yaml"]


def test_a_renamed_file_is_a_new_task_and_a_moved_one_is_not(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/one.yaml")
    assert daemon.names() == ["one.yaml"]
    person.write("tasks/done/.keep", "x")
    person.git("mv", "tasks/one.yaml", "tasks/done/one.yaml")
    person.git("commit", "-qm", "move")
    assert daemon.names() == []
    person.git("mv", "tasks/done/one.yaml", "tasks/two.yaml")
    person.git("commit", "-qm", "rename")
    assert daemon.names() == ["two.yaml"]


def test_a_file_that_is_edited_after_it_was_taken_is_not_dropped_twice(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/one.yaml")
    assert daemon.names() == ["one.yaml"]
    person.write("tasks/one.yaml", TASK.format("with more words"))
    person.commits("tasks/one.yaml")
    assert daemon.names() == []


def test_the_origin_of_an_edited_file_is_the_edit(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/one.yaml")
    person.write("tasks/one.yaml", TASK.format("with more words"))
    edit = person.commits("tasks/one.yaml")
    person.commits("more.txt")
    (offer,) = daemon.takes()
    assert offer.commit == edit
    assert b"more words" in offer.content


def test_a_file_that_only_a_merge_itself_brought_has_that_merge_as_origin(person: Person, daemon: Daemon) -> None:
    person.git("switch", "-qc", "topic")
    person.commits("a.txt")
    person.git("switch", "-q", "main")
    person.commits("b.txt")
    person.git("merge", "-q", "--no-ff", "--no-commit", "topic")
    merge = person.commits("tasks/one.yaml", message="merge with a present")
    assert [offer.commit for offer in daemon.takes()] == [merge]


def test_two_files_with_one_id_are_one_offer_and_a_note(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/a/one.yaml", "tasks/b/one.yml")
    assert [offer.path for offer in daemon.takes()] == ["tasks/a/one.yaml"]
    assert [aside.path for aside in daemon.intake.passed_over] == ["tasks/b/one.yml"]
    assert "same task id one" in daemon.intake.passed_over[0].why


def test_links_submodules_and_files_that_are_too_large_are_passed_over_with_the_reason(
    person: Person, daemon: Daemon
) -> None:
    person.write("tasks/large.yaml", "x" * ((1 << 20) + 1))
    person.write("tasks/largest.yaml", "x" * (1 << 20))
    (person.folder / "tasks/link.yaml").symlink_to("/etc/passwd")
    person.git("add", "tasks")
    person.git("update-index", "--add", "--cacheinfo", f"160000,{person.git('rev-parse', 'HEAD')},tasks/sub.yaml")
    person.git("commit", "-qm", "odd things")
    assert daemon.names() == ["largest.yaml"]
    assert {aside.path: aside.why.split(":")[0] for aside in daemon.intake.passed_over} == {
        "tasks/large.yaml": "1048577 bytes",
        "tasks/link.yaml": "it is a link or a submodule; commit the task as a plain file",
        "tasks/sub.yaml": "it is a link or a submodule; commit the task as a plain file",
    }


def test_names_with_spaces_and_other_alphabets_come_through_and_broken_ones_are_named(
    person: Person, daemon: Daemon
) -> None:
    person.commits("tasks/à faire/задача.yaml", 'tasks/a "b" \\ c.yaml')
    blob = person.git("rev-parse", "HEAD:tasks/à faire/задача.yaml")
    for raw in (b"tasks/\xff\xfe.yaml", b"tasks/two\nlines.yaml"):
        subprocess.run(
            ("git", "update-index", "--add", "-z", "--index-info"),
            input=b"100644 " + blob.encode() + b"\t" + raw + b"\0",
            cwd=person.folder,
            check=True,
        )
    person.git("commit", "-qm", "odd names")
    assert daemon.names() == ['a "b" \\ c.yaml', "задача.yaml"]
    assert len(daemon.intake.passed_over) == 2


def test_a_thousand_files_of_one_commit_come_in_portions(person: Person, daemon: Daemon) -> None:
    names = [f"t{number:04}.yaml" for number in range(1000)]
    for name in names:
        person.write(f"tasks/{name}")
    commit = person.commits("tasks")
    seen: list[Offer] = []
    portions = 0
    while offers := daemon.takes(300):
        seen += offers
        portions += 1
    assert portions == 4
    assert [offer.name for offer in seen] == names
    assert {offer.commit for offer in seen} == {commit}


def test_an_old_origin_is_found_behind_many_commits(person: Person, daemon: Daemon) -> None:
    commit = person.commits("tasks/one.yaml")
    stream = f"commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 1\nx\nfrom {commit}\n"
    stream += "M 644 inline tasks/z.txt\ndata 1\n0\n"
    for number in range(1, 250):
        stream += "commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 1\nx\n"
        stream += f"M 644 inline tasks/z.txt\ndata 3\n{number:03}\n"
    subprocess.run(("git", "fast-import", "--quiet"), input=stream.encode(), cwd=person.folder, check=True)
    assert [offer.commit for offer in daemon.takes()] == [commit]


def test_nothing_is_read_or_asked_while_the_branch_stands_still(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/one.yaml")
    assert daemon.names() == ["one.yaml"]
    assert daemon.names() == []
    assert not daemon.intake.has_moved()
    asked = daemon.asked
    git_is_gone = Path(person.folder / ".git" / "HEAD")
    head = git_is_gone.read_bytes()
    git_is_gone.unlink()  # any git process would fail now
    assert daemon.names() == []
    assert (daemon.asked, daemon.intake.why) == (asked, "")
    git_is_gone.write_bytes(head)


def test_a_packed_branch_is_seen_to_move(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/one.yaml")
    assert daemon.names() == ["one.yaml"]
    person.commits("tasks/two.yaml")
    person.git("pack-refs", "--all")
    assert daemon.names() == ["two.yaml"]
    assert daemon.names() == []


def test_a_missing_branch_is_said_and_found_once_it_is_there(person: Person) -> None:
    daemon = Daemon(person.folder, branch="tasks")
    assert daemon.names() == []
    assert "no branch tasks yet" in daemon.intake.why
    person.git("switch", "-qc", "tasks")
    person.commits("tasks/one.yaml")
    assert daemon.names() == ["one.yaml"]
    assert daemon.intake.why == ""


def test_a_branch_of_a_remote_is_watched(person: Person, tmp_path: Path) -> None:
    subprocess.run(("git", "clone", "-q", str(person.folder), str(tmp_path / "clone")), check=True)
    daemon = Daemon(tmp_path / "clone", branch="origin/main")
    person.commits("tasks/one.yaml")
    assert daemon.names() == []
    Person(tmp_path / "clone").git("fetch", "-q")
    assert daemon.names() == ["one.yaml"]


def test_a_bare_repository_and_a_sha256_one_work(tmp_path: Path) -> None:
    subprocess.run(
        ("git", "init", "-q", "-b", "main", "--bare", "--object-format=sha256", str(tmp_path / "bare.git")), check=True
    )
    subprocess.run(("git", "init", "-q", "--object-format=sha256", str(tmp_path / "clone")), check=True)
    daemon = Daemon(tmp_path / "bare.git")
    assert daemon.names() == []
    person = Person(tmp_path / "clone")
    commit = person.commits("tasks/one.yaml")
    person.git("push", "-q", str(tmp_path / "bare.git"), "HEAD:main")
    (offer,) = daemon.takes()
    assert (offer.commit, len(offer.blob)) == (commit, 64)


def test_paths_count_from_the_top_also_when_asked_from_a_folder_below_or_a_linked_worktree(
    person: Person, tmp_path: Path
) -> None:
    person.commits("tasks/one.yaml", "below/tasks/two.yaml")
    assert Daemon(person.folder / "below").names() == ["one.yaml"]
    person.git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "linked")
    assert Daemon(tmp_path / "linked").names() == ["one.yaml"]


def test_no_intake_where_none_is_configured(person: Person) -> None:
    person.commits("tasks/one.yaml")
    assert Daemon(person.folder, branch="").names() == []
    assert Daemon(person.folder, paths=()).names() == []


def test_a_damaged_repository_is_a_reason_and_not_an_exception(person: Person, daemon: Daemon) -> None:
    person.commits("tasks/one.yaml")
    objects = person.folder / ".git" / "objects"
    objects.rename(objects.with_name("away"))
    assert daemon.names() == []
    assert daemon.intake.why
    objects.with_name("away").rename(objects)
    assert daemon.names() == ["one.yaml"]


def test_configuration_of_the_person_changes_nothing(person: Person, daemon: Daemon) -> None:
    for name, value in {
        "core.quotePath": "false",
        "log.showSignature": "true",
        "gpg.program": "/bin/false",
        "diff.renames": "copies",
        "diff.noprefix": "true",
        "log.showRoot": "false",
        "color.ui": "always",
        "format.pretty": "oneline",
        "diff.external": "/bin/false",
        "log.diffMerges": "on",
    }.items():
        person.git("config", name, value)
    commit = person.commits("tasks/один.yaml")
    assert [offer.commit for offer in daemon.takes()] == [commit]
