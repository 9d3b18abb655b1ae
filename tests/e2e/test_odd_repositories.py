"""The program in repositories that are not the plain one: it works, or says what to do."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from situations import Workspace, git, make_repository, type_in

Open = Callable[..., Workspace]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Opens workspaces, and ends what runs in them."""
    made: list[Workspace] = []

    def open_one(root: Path, **more: object) -> Workspace:
        made.append(Workspace(root, **more))  # type: ignore[arg-type]  # as Workspace has them
        return made[-1]

    yield open_one
    for workspace in made:
        workspace.close()


def does_its_job(workspace: Workspace) -> None:
    """Tasks that were there and tasks that come are done, and committed."""
    workspace.submit("submitted")
    workspace.daemon()
    workspace.drop("dropped")
    workspace.drop("briefed", agent="writer")
    workspace.wait_done()
    workspace.stop()
    workspace.is_well()
    workspace.ran_once()
    assert workspace.well("status", "--json").data["folders"]["done"] >= 3
    assert "done" in workspace.well("log", "briefed").out


def test_a_linked_worktree(opened: Open, tmp_path: Path) -> None:
    main = make_repository(tmp_path / "main")
    git(main, "worktree", "add", "-q", str(tmp_path / "linked"))
    workspace = opened(tmp_path / "linked").init()
    does_its_job(workspace)
    assert git(main, "status", "--porcelain") == ""
    assert "submitted" in workspace.well("show", "submitted", at=main).out


def test_a_repository_with_a_submodule_and_a_submodule_itself(opened: Open, tmp_path: Path) -> None:
    library = make_repository(tmp_path / "library")
    main = make_repository(tmp_path / "main")
    type_in(main, f"git submodule add -q {library} lib; git commit -qm 'Add lib'")
    before = git(main, "status", "--porcelain=v2", "--branch")
    inner = opened(main / "lib", aside=tmp_path / "inner").init()
    does_its_job(inner)
    type_in(main / "lib", "rm -rf config")
    assert git(main, "status", "--porcelain=v2", "--branch") == before
    outer = opened(main, aside=tmp_path / "outer").init()
    does_its_job(outer)
    assert git(main, "status", "--porcelain") == "?? config/"
    assert inner.state_folder != outer.state_folder


def test_line_ends_that_git_converts(opened: Open, tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repository")
    git(root, "config", "core.autocrlf", "true")
    workspace = opened(root).init()
    text = "id: windows\r\nagent: quick\r\ntitle: Written elsewhere\r\n"
    (workspace.inbox / "windows.yaml").write_bytes(text.encode())
    does_its_job(workspace)
    done = workspace.work / "collaboration" / workspace.where("windows")[0]
    assert b"title: Written elsewhere\r\n" in done.read_bytes()


def test_a_repository_with_long_hashes(opened: Open, tmp_path: Path) -> None:
    does_its_job(opened(make_repository(tmp_path / "repository", "--object-format=sha256")).init())


@pytest.mark.parametrize("kind", ["own", "tracked", "bare"])
def test_a_repository_whose_refs_are_in_tables(opened: Open, tmp_path: Path, kind: str) -> None:
    root = tmp_path / "repository"
    options = ["--bare"] if kind == "bare" else []
    made = subprocess.run(["git", "init", "-q", "--ref-format=reftable", *options, str(root)], check=False)
    if made.returncode:
        pytest.skip("git has reftable since 2.45, and this one is older")
    if kind == "tracked":
        type_in(root, "git commit -q --allow-empty -m First")
    tracked = "trail: {mode: tracked, publish_every: 1s}\n" if kind == "tracked" else ""
    workspace = opened(root)
    if kind == "tracked":
        workspace.branch = "main:work"
    workspace.init(trail=tracked)
    does_its_job(workspace)
    assert git(root, "rev-parse", "--show-ref-format") == "reftable"
    if kind == "tracked":
        assert "task: done submitted" in git(root, "log", "--format=%s", "main")


def test_a_repository_without_a_commit(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    git(tmp_path / "repository", "init", "-q")
    workspace = opened(tmp_path / "repository").init()
    does_its_job(workspace)
    assert git(workspace.root, "status", "--porcelain") == "?? config/"
    assert git(workspace.root, "symbolic-ref", "HEAD") == "refs/heads/main"
    type_in(workspace.root, "git add config; git commit -qm First")
    assert git(workspace.root, "rev-list", "--count", "HEAD") == "1"


def test_no_repository_at_all(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    workspace = opened(tmp_path / "plain")
    for words in (["init"], ["status"], ["daemon"], ["submit", "--agent", "quick", "--title", "x"]):
        ended = workspace.program(*words)
        assert ended.code == 4
        assert "git init" in ended.err
        assert "--no-git" in ended.err
    assert list((tmp_path / "plain").iterdir()) == []


def test_no_repository_and_none_wanted(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    workspace = opened(tmp_path / "plain", flags=("--no-git",)).init()
    workspace.submit("submitted")
    workspace.daemon()
    workspace.drop("dropped")
    workspace.drop("briefed", agent="writer")
    workspace.wait_done()
    workspace.stop()
    workspace.is_well()
    workspace.ran_once()
    workspace.flags = ()  # it need not be said again
    assert workspace.well("status", "--json").data["folders"]["done"] == 3


def test_a_bare_repository(opened: Open, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "server.git")
    does_its_job(opened(tmp_path / "server.git").init())


def test_nobody_told_git_who_they_are(opened: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_repository(tmp_path / "repository")
    (tmp_path / "nobody").write_text("[user]\n\tuseConfigOnly = true\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "nobody"))
    monkeypatch.delenv("EMAIL", raising=False)
    assert subprocess.run(["git", "var", "GIT_COMMITTER_IDENT"], cwd=root, capture_output=True, check=False).returncode
    workspace = opened(root).init()
    does_its_job(workspace)
    assert {
        line.partition("@")[0] for line in git(root, "log", "--format=%an <%ae", workspace.branch).splitlines()
    } == {"orchestrator <orchestrator"}


@pytest.mark.parametrize("name", ["with  two spaces", "Ünïcødé 文件夹", 'quote\'d "twice"', "-dash $HOME `x`"])
def test_folders_with_odd_names(name: str, opened: Open, tmp_path: Path) -> None:
    does_its_job(opened(make_repository(tmp_path / name), aside=tmp_path / "aside").init())


def test_a_folder_below_the_top_and_a_path_through_a_link(opened: Open, tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repository")
    (root / "deep" / "er").mkdir(parents=True)
    workspace = opened(root).init()
    (tmp_path / "link").symlink_to(root)
    workspace.well("submit", "--agent", "quick", "--title", "x", "--name", "from-below", at=root / "deep" / "er")
    workspace.well("submit", "--agent", "quick", "--title", "x", "--name", "from-inside", at=workspace.inbox)
    workspace.well("--root", str(tmp_path / "link"), "submit", "--agent", "quick", "--title", "x", "--name", "by-link")
    workspace.dropped += ["from-below", "from-inside", "by-link"]
    workspace.daemon("--until-idle")
    workspace.is_well()
    assert len(workspace.runs()) == 3


def test_files_that_are_in_the_work_folder_already_are_kept(opened: Open, tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repository")
    inbox = root / "work" / "collaboration" / "inbox"
    inbox.mkdir(parents=True)
    (root / "work" / "notes.md").write_text("mine\n")
    workspace = opened(root)
    workspace.drop("was-there")
    workspace.init()
    assert (root / "work" / "notes.md").read_text() == "mine\n"
    does_its_job_with(workspace)
    assert git(root, "show", f"{workspace.branch}:notes.md") == "mine"


def does_its_job_with(workspace: Workspace) -> None:
    """What lay in the inbox before is done."""
    workspace.daemon("--until-idle")
    assert all(workspace.is_done(task) for task in workspace.dropped)
    workspace.is_well()
    workspace.ran_once()


def test_a_work_folder_that_is_tracked_on_the_branch_stays_there(opened: Open, tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repository")
    (root / "work").mkdir()
    (root / "work" / "README.md").write_text("our work\n")
    type_in(root, "git add work; git commit -qm 'Add work'")
    workspace = opened(root)
    workspace.branch = "main"
    assert "tracked" in workspace.well("init").out
    workspace.configure(policies=f"{(root / 'config' / 'policies.yaml').read_text()}")
    workspace.drop("dropped")
    workspace.daemon("--until-idle")
    assert workspace.is_done("dropped")
    assert not git(root, "branch", "--list", "orchestrator/work")
    told = git(root, "log", "--format=%s", "main", "--", "work").splitlines()
    assert "task: done dropped" in told
    assert git(root, "status", "--porcelain", "work") == ""


def test_own_mode_over_a_tracked_work_folder_is_refused_with_the_way_out(opened: Open, tmp_path: Path) -> None:
    root = make_repository(tmp_path / "repository")
    (root / "work").mkdir()
    (root / "work" / "README.md").write_text("our work\n")
    type_in(root, "git add work; git commit -qm 'Add work'")
    ended = opened(root).program("init", "--trail", "own")
    assert ended.code == 1
    assert "tracked" in ended.err
    assert git(root, "status", "--porcelain", "work") == ""


def read_only_git(workspace: Workspace, script: str) -> "subprocess.CompletedProcess[str]":
    """Runs a script where the repository's .git cannot be written, be it as root: a mount of its own."""
    command = f'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && {script}'
    argv = ["unshare", "-m", "sh", "-c", command, "sh", str(workspace.root / ".git")]
    return subprocess.run(
        argv, cwd=workspace.root, capture_output=True, text=True, check=False, timeout=60, env=os.environ
    )


@pytest.fixture
def mounts(tmp_path: Path) -> None:
    """Skips where this machine lets nobody mount."""
    if shutil.which("unshare") is None:
        pytest.skip("no unshare(1) here")
    probe = ["unshare", "-m", "sh", "-c", f"mount --bind '{tmp_path}' '{tmp_path}'"]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no mount namespaces for us here")


@pytest.mark.usefixtures("mounts")
def test_a_git_folder_that_cannot_be_written_is_said_and_nothing_is_lost(opened: Open, tmp_path: Path) -> None:
    workspace = opened(make_repository(tmp_path / "repository")).init()
    workspace.submit("before")
    for words in ("daemon --once", "submit --agent quick --title x --name during"):
        ended = read_only_git(workspace, f"{shlex.join(workspace.argv(()))} {words}")
        assert ended.returncode == 1, ended
        assert "read-only" in ended.stderr.lower()
        assert "Traceback" not in ended.stderr
    ended = read_only_git(workspace, f"{shlex.join(workspace.argv(()))} status --json")
    assert ended.returncode == 0, ended.stderr  # reading goes on
    assert workspace.where("before") == ["inbox/before.yaml"]
    assert workspace.where("during") == []
    workspace.daemon("--until-idle")
    workspace.is_well()
    assert workspace.runs() == ["before"]


@pytest.mark.usefixtures("mounts")
def test_a_repository_whose_git_folder_cannot_be_written_is_no_place_for_init(opened: Open, tmp_path: Path) -> None:
    workspace = opened(make_repository(tmp_path / "repository"))
    ended = read_only_git(workspace, f"{shlex.join(workspace.argv(()))} init")
    assert ended.returncode == 1, ended
    assert "read-only" in ended.stderr.lower()
    assert git(workspace.root, "status", "--porcelain") == ""
