"""Machines that share a remote: a work branch each, and every task claimed by one of them."""

import subprocess
import threading
from pathlib import Path

import pytest

from orchestrator.adapters import place
from orchestrator.adapters.claims import CLAIMS, Claimed, Claims
from orchestrator.adapters.git import Git
from orchestrator.adapters.sync import HOSTS, Sync, host_name
from orchestrator.core.settings import TrailSettings
from orchestrator.core.types import TaskId

REFUSES = """#!/bin/sh
while read -r old new ref; do case $ref in {pattern}) echo "no, by rule" >&2; exit 1;; esac; done
"""


class Host:
    """A clone with a work branch, as own mode makes it."""

    def __init__(self, base: Path, name: str) -> None:
        self.folder = base / name
        self.name = name
        subprocess.run(("git", "clone", "-q", str(base / "remote.git"), str(self.folder)), check=True)
        (self.folder / ".git/orchestrator").mkdir()
        self.sync = self.with_remote("origin")
        self.claims = Claims(self.sync.remote, host=name, others=self.sync.others)

    def with_remote(self, remote: str, *, seconds: float = 60) -> Sync:
        settings = TrailSettings(remote=remote)
        return Sync(Git(self.folder), place.find(self.folder), settings, self.name, seconds=seconds)

    def git(self, *args: str, stdin: bytes = b"") -> str:
        ended = subprocess.run(("git", *args), cwd=self.folder, input=stdin, capture_output=True, check=False)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.decode().strip()

    def finishes(self, *tasks: str) -> str:
        """Their event files are on the work branch."""
        ref = "refs/heads/orchestrator/work"
        known = subprocess.run(
            ("git", "rev-parse", "-q", "--verify", ref), cwd=self.folder, capture_output=True, check=False
        )
        lines = [f"commit {ref}\ncommitter A <a@b> 1 +0000\ndata 0\n"]
        if known.returncode == 0:
            lines.append(f"from {known.stdout.decode().strip()}\n")
        lines += [f"M 644 inline telemetry/2026-02-12/{task}.jsonl\ndata 0\n" for task in tasks]
        self.git("fast-import", "--quiet", stdin="".join(lines).encode())
        return self.git("rev-parse", ref)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    subprocess.run(("git", "init", "-q", "-b", "main", "--bare", str(tmp_path / "remote.git")), check=True)
    return tmp_path


@pytest.fixture
def one(base: Path) -> Host:
    return Host(base, "one")


@pytest.fixture
def two(base: Path) -> Host:
    return Host(base, "two")


def ids(*names: str) -> list[TaskId]:
    return [TaskId(name) for name in names]


def remote_refs(base: Path, under: str = CLAIMS) -> dict[str, str]:
    words = ("git", "for-each-ref", "--format=%(refname) %(objectname)", under)
    said = subprocess.run(words, cwd=base / "remote.git", capture_output=True, text=True, check=True).stdout
    return dict(line.split(" ") for line in said.splitlines())


# --- work branches ---------------------------------------------------------------------------------------------------


def test_each_host_pushes_its_own_branch_and_sees_everybodys(base: Path, one: Host, two: Host) -> None:
    mine, theirs = one.finishes("a"), two.finishes("b")
    assert two.sync.sync().why == ()
    report = one.sync.sync()
    assert (report.pushed, report.why) == (mine, ())
    assert {branch.host: branch.tip for branch in report.hosts} == {"one": mine, "two": theirs}
    assert remote_refs(base, HOSTS) == {f"{HOSTS}one": mine, f"{HOSTS}two": theirs}
    assert one.git("rev-parse", "origin/orchestrator/hosts/two") == theirs
    assert one.git("status", "--porcelain") == ""
    later = one.finishes("c")
    assert one.sync.push().pushed == later


def test_pushing_twice_is_no_news(one: Host) -> None:
    tip = one.finishes("a")
    assert one.sync.push().pushed == one.sync.push().pushed == tip


def test_commits_of_ours_on_the_remote_that_we_lack_are_reported_and_not_overwritten(
    base: Path, one: Host, two: Host
) -> None:
    theirs = two.finishes("b")
    two.git("push", "-q", "origin", f"{theirs}:{HOSTS}one")
    one.finishes("a")
    report = one.sync.push()
    assert report.pushed == ""
    assert "nothing was overwritten" in report.why[0]
    assert "ORCHESTRATOR_HOST" in report.why[0]
    assert remote_refs(base, HOSTS) == {f"{HOSTS}one": theirs}


def test_a_remote_that_is_gone_is_a_plain_report_and_what_was_fetched_stays(base: Path, one: Host, two: Host) -> None:
    theirs = two.finishes("b")
    two.sync.push()
    one.finishes("a")
    one.sync.sync()
    (base / "remote.git").rename(base / "away.git")
    report = one.sync.sync()
    assert report.pushed == ""
    assert len(report.why) >= 1
    assert "origin: " in report.why[0]
    assert {branch.host: branch.tip for branch in report.hosts}["two"] == theirs


def test_a_remote_that_refuses_is_reported_in_its_own_words(base: Path, one: Host) -> None:
    hook = base / "remote.git/hooks/pre-receive"
    hook.write_text(REFUSES.format(pattern="*"))
    hook.chmod(0o755)
    one.finishes("a")
    (why,) = one.sync.push().why
    assert "pre-receive hook declined" in why


def test_no_remote_and_no_branch_are_said_with_what_to_do(one: Host) -> None:
    assert "there is no branch orchestrator/work yet" in one.sync.push().why[0]
    for name in ("", "nowhere", "--upload-pack=false"):
        report = one.with_remote(name).sync()
        assert "git remote add" in report.why[0]


def test_a_remote_that_never_answers_costs_its_time_and_no_more(one: Host, tmp_path: Path) -> None:
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\nexec cat  # says nothing, and ends when git does\n")
    silent.chmod(0o755)
    one.git("remote", "add", "far", "ssh://far.invalid/repo")
    one.git("config", "core.sshCommand", str(silent))
    one.finishes("a")
    (why,) = one.with_remote("far", seconds=0.3).push().why
    assert "no answer" in why


def test_ssh_never_asks_and_the_persons_own_ssh_command_is_kept(
    one: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    for name in ("ssh", "own-ssh"):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho {name} "$@" >>"{said}"\nexit 255\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/local/bin:/usr/bin:/bin")
    one.git("remote", "add", "far", "ssh://far.invalid/repo")
    one.finishes("a")
    assert one.with_remote("far").push().why
    assert said.read_text().startswith("ssh -oBatchMode=yes ")
    said.unlink()
    one.git("config", "core.sshCommand", "own-ssh")
    assert one.with_remote("far").push().why
    assert "own-ssh far.invalid" in said.read_text()
    assert "BatchMode" not in said.read_text()


def test_tags_of_the_person_are_not_pushed_along(base: Path, one: Host) -> None:
    tip = one.finishes("a")
    one.git("tag", "-am", "mine", "v1", tip)
    one.git("config", "push.followTags", "true")
    one.sync.push()
    assert remote_refs(base, "refs/tags") == {}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("Build Server.example.org", "build-server-example-org"),
        ("-x..y@{1}", "x-y-1"),
        ("../../heads/main", "heads-main"),
        ("a.lock", "a-lock"),
        ("—", "host"),
        ("x" * 200, "x" * 63),
    ],
)
def test_a_host_name_is_always_fit_for_a_branch(given: str, name: str) -> None:
    assert host_name({"ORCHESTRATOR_HOST": given}) == name
    assert subprocess.run(("git", "check-ref-format", HOSTS + name), check=False).returncode == 0
    assert host_name({})


# --- claims ----------------------------------------------------------------------------------------------------------


def test_two_hosts_that_race_for_the_same_tasks_share_them_without_overlap(base: Path, one: Host, two: Host) -> None:
    tasks = ids(*(f"t{number}" for number in range(50)))
    outcomes: dict[str, Claimed] = {}
    start = threading.Barrier(2)

    def race(host: Host) -> None:
        start.wait()
        outcomes[host.name] = host.claims.claim(tasks)

    threads = [threading.Thread(target=race, args=(host,)) for host in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first, second = outcomes["one"], outcomes["two"]
    assert not first.failed
    assert not second.failed
    assert first.won.isdisjoint(second.won)
    assert first.won | second.won == set(tasks)
    assert first.lost == dict.fromkeys(second.won, "two")
    assert second.lost == dict.fromkeys(first.won, "one")
    assert set(remote_refs(base)) == {CLAIMS + task for task in tasks}
    assert one.claims.held() == first.won


def test_what_is_ours_is_ours_when_asked_again_also_after_a_restart(one: Host, two: Host) -> None:
    assert one.claims.claim(ids("a")).won == {"a"}
    assert one.claims.claim(ids("a", "b")).won == {"a", "b"}
    again = Claims(one.sync.remote, host="one", others=one.sync.others)
    assert again.claim(ids("a")).won == {"a"}
    assert two.claims.claim(ids("a")).lost == {"a": "one"}


def test_a_late_host_sees_a_released_task_as_done_elsewhere(base: Path, one: Host, two: Host) -> None:
    assert one.claims.claim(ids("a", "b")).won == {"a", "b"}
    one.finishes("a")
    assert one.sync.push().why == ()
    assert one.claims.release(ids("a")).released == {"a"}
    assert set(remote_refs(base)) == {f"{CLAIMS}b"}
    late = Host(base, "three").claims.claim(ids("a", "b", "c"))
    assert late == Claimed(won=frozenset({"c"}), lost={"a": "one", "b": "one"}, failed={})
    assert set(remote_refs(base)) == {f"{CLAIMS}b", f"{CLAIMS}c"}  # the claim on a is withdrawn
    assert two.claims.held() == frozenset()


def test_a_release_never_takes_another_hosts_claim_away(base: Path, one: Host, two: Host) -> None:
    one.claims.claim(ids("a"))
    mine = remote_refs(base)
    subprocess.run(("git", "update-ref", "-d", f"{CLAIMS}a"), cwd=base / "remote.git", check=True)
    assert two.claims.claim(ids("a")).won == {"a"}
    theirs = remote_refs(base)
    assert theirs != mine
    assert one.claims.release(ids("a")).failed == {}
    assert remote_refs(base) == theirs
    assert one.claims.held() == frozenset()


def test_a_remote_that_is_gone_fails_each_id_and_the_claims_go_on_later(base: Path, one: Host) -> None:
    (base / "remote.git").rename(base / "away.git")
    claimed = one.claims.claim(ids("a", "b"))
    assert set(claimed.failed) == {"a", "b"}
    assert all("remote.git" in why for why in claimed.failed.values())
    assert one.claims.release(ids("a")).failed.keys() == {"a"}
    (base / "away.git").rename(base / "remote.git")
    assert one.claims.claim(ids("a", "b")).won == {"a", "b"}


def test_an_answer_that_was_lost_after_the_push_arrived_is_looked_up(base: Path, one: Host) -> None:
    # The refs are made, then the connection breaks before the answer: the server dies after its update.
    hook = base / "remote.git/hooks/post-update"
    hook.write_text("#!/bin/sh\nkill -9 $PPID\n")
    hook.chmod(0o755)
    claimed = one.claims.claim(ids("a", "b"))
    assert claimed == Claimed(won=frozenset({"a", "b"}))


def test_a_remote_that_refuses_one_ref_by_rule_fails_that_id_in_its_words(base: Path, one: Host) -> None:
    hook = base / "remote.git/hooks/update"
    hook.write_text('#!/bin/sh\ncase $1 in *claims/b) echo "no, by rule" >&2; exit 1;; esac\n')
    hook.chmod(0o755)
    claimed = one.claims.claim(ids("a", "b", "c"))
    assert claimed.won == {"a", "c"}
    assert claimed.failed == {"b": "[remote rejected] (hook declined)"}


def test_when_the_others_cannot_be_fetched_nothing_is_won_and_nothing_lost(base: Path, one: Host) -> None:
    def fails() -> dict[str, str]:
        return one.with_remote("nowhere").others()  # type: ignore[return-value]  # it raises

    blind = Claims(one.sync.remote, host="one", others=fails)
    claimed = blind.claim(ids("a"))
    assert claimed.won == frozenset()
    assert set(claimed.failed) == {"a"}
    assert one.claims.claim(ids("a")).won == {"a"}


@pytest.mark.parametrize("name", ["a.b", "a.lock", "a.", "a..b", "a.lock.", "x" * 200])
def test_ids_that_git_would_refuse_as_a_ref_are_claimed_all_the_same(
    base: Path, one: Host, two: Host, name: str
) -> None:
    assert one.claims.claim(ids(name)).won == {name}
    assert one.claims.held() == {name}
    assert two.claims.claim(ids(name)).lost == {name: "one"}
    assert one.claims.release(ids(name)).released == {name}
    assert remote_refs(base) == {}


@pytest.mark.parametrize("name", ["", "-x", "a/b", "a b", "a\nb", "a*", "a:refs/heads/main", "%2E", "x" * 201])
def test_what_is_no_task_id_never_reaches_git(base: Path, one: Host, name: str) -> None:
    assert one.claims.claim(ids(name, "good")) == Claimed(won=frozenset({"good"}), failed={name: "it is no task id"})
    assert set(one.claims.release(ids(name)).failed) == {name}
    assert set(remote_refs(base)) == {f"{CLAIMS}good"}
