"""Commits with our hooks in the repository, by real git: what is staged is checked, and nothing else is in the way."""

import os
import sys
from pathlib import Path

import pytest
from cli_world import World
from hooks_world import BAD, GOOD, POLICIES, SECRET, WAYS, Ready, commit, need, record, run, scripts, tip, write

_READY: dict[str, Ready] = {}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """How the hooks were installed."""
    need(request.param)
    return str(request.param)


@pytest.fixture
def world(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, way: str) -> World:
    """A workspace of its own."""
    if way not in _READY:
        _READY[way] = Ready(tmp_path_factory.mktemp("ready"), {"policies": POLICIES})
        _READY[way].way = way
    return _READY[way].copy(tmp_path / 'it\'s a "place"')


def nudged(world: World) -> bool:
    """Whether the daemon was woken since this was asked last."""
    file = world.root / ".git" / "orchestrator" / "requests" / ".nudge"
    was = file.exists()
    file.unlink(missing_ok=True)
    return was


def test_a_bad_task_file_is_refused_with_its_place_and_the_last_line_says_how_to_go_on(world: World) -> None:
    before = tip(world.root)
    write(world.root, "tasks/one.yaml", BAD)
    ended = commit(world.root, "-m", "Ask")
    assert ended.code == 1
    assert 'tasks/one.yaml:2:9: status: "donne" is not a status' in ended.err
    assert "    2 | status: donne\n      |         ^^^^^" in ended.err
    last = ended.err.splitlines()[-1]
    assert "git commit --no-verify" in last
    assert "orchestrator task fix FILE" in last
    assert tip(world.root) == before
    assert commit(world.root, "--no-verify", "-m", "Ask").code == 0


def test_a_good_one_is_committed_without_a_word_and_wakes_the_daemon(world: World) -> None:
    nudged(world)
    write(world.root, "tasks/one.yaml", GOOD)
    ended = commit(world.root, "-m", "Ask")
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert nudged(world)


def test_all_problems_of_all_files_are_told_at_once(world: World) -> None:
    write(world.root, "tasks/one.yaml", BAD)
    write(world.root, "tasks/two.yaml", "agent: analystt\ntitle: x\nid: three\n")
    write(world.root, "config/policies.yaml", POLICIES.replace("paths", "pathz"))
    ended = commit(world.root, "-m", "Ask")
    assert ended.code == 1
    assert "tasks/one.yaml:2:9" in ended.err
    assert "config/policies.yaml:" in ended.err
    write(world.root, "config/policies.yaml", POLICIES)
    ended = commit(world.root, "-m", "Ask")
    assert '"analyst"' in ended.err
    assert "three" in ended.err


@pytest.mark.parametrize(
    ("staged", "on_disk", "code"), [(BAD, GOOD, 1), (GOOD, BAD, 0)], ids=["bad is staged", "good is staged"]
)
def test_what_is_staged_counts_and_not_the_working_copy(world: World, staged: str, on_disk: str, code: int) -> None:
    write(world.root, "tasks/one.yaml", staged)
    write(world.root, "tasks/one.yaml", on_disk, stage=False)
    assert commit(world.root, "-m", "Ask").code == code


def test_commit_all_looks_into_the_index_that_git_makes_for_it(world: World) -> None:
    write(world.root, "tasks/one.yaml", GOOD)
    assert commit(world.root, "-m", "Ask").code == 0
    write(world.root, "tasks/one.yaml", BAD, stage=False)
    assert commit(world.root, "-a", "-m", "Ask otherwise").code == 1
    write(world.root, "tasks/one.yaml", GOOD + "priority: high\n", stage=False)
    assert commit(world.root, "-a", "-m", "Ask otherwise").code == 0


def test_a_commit_of_paths_is_checked_for_these_paths_alone(world: World) -> None:
    write(world.root, "tasks/good.yaml", GOOD)
    write(world.root, "tasks/bad.yaml", BAD)
    assert commit(world.root, "-m", "The bad one", "--", "tasks/bad.yaml").code == 1
    assert commit(world.root, "-m", "The good one", "--", "tasks/good.yaml").code == 0
    assert world.git("diff", "--cached", "--name-only") == "tasks/bad.yaml\n"  # the index is as it was
    assert world.git("show", "--name-only", "--format=").split() == ["tasks/good.yaml"]


def test_an_amend_is_checked_for_what_it_changes(world: World) -> None:
    write(world.root, "tasks/one.yaml", BAD)
    assert commit(world.root, "--no-verify", "-m", "Ask").code == 0
    assert commit(world.root, "--amend", "-m", "Ask in other words").code == 0
    write(world.root, "tasks/two.yaml", BAD)
    assert commit(world.root, "--amend", "--no-edit").code == 1
    write(world.root, "tasks/two.yaml", GOOD)
    assert commit(world.root, "--amend", "--no-edit").code == 0


def test_a_first_commit_is_checked_as_well(world: World) -> None:
    world.git("checkout", "-q", "--orphan", "fresh")
    assert commit(world.root, "-m", "All anew").code == 0
    world.git("checkout", "-q", "--orphan", "fresher")
    write(world.root, "tasks/one.yaml", BAD)
    assert commit(world.root, "-m", "All anew").code == 1


def test_in_a_linked_worktree_the_same_is_checked_with_its_own_index(world: World, tmp_path: Path) -> None:
    linked = tmp_path / "linked one"
    world.git("worktree", "add", "-q", "-b", "linked", str(linked))
    nudged(world)
    write(linked, "tasks/one.yaml", BAD)
    write(world.root, "tasks/other.yaml", GOOD)  # staged in the main one
    assert commit(linked, "-m", "Ask").code == 1
    write(linked, "tasks/one.yaml", GOOD)
    ended = commit(linked, "-m", "Ask")
    assert (ended.code, ended.err) == (0, "")
    assert nudged(world)
    write(linked, "tasks/one.yaml", BAD, stage=False)
    assert commit(linked, "-a", "-m", "Ask").code == 1
    assert commit(linked, "-m", "Ask", "--", "tasks/one.yaml").code == 1
    assert world.git("diff", "--cached", "--name-only") == "tasks/other.yaml\n"
    write(linked, "config/agents.yaml", "agents: [nobody]\n")
    assert "config/agents.yaml:1:9" in commit(linked, "-m", "Configure").err


@pytest.mark.parametrize("linked", [False, True], ids=["in the main worktree", "in a linked one"])
def test_the_program_inherits_nothing_of_gits_environment_and_is_told_the_index(
    world: World, tmp_path: Path, linked: bool
) -> None:
    folder = tmp_path / "linked" if linked else world.root
    if linked:
        world.git("worktree", "add", "-q", str(folder))
    called = record(world, tmp_path)
    write(folder, "tasks/one.yaml", GOOD)
    assert commit(folder, "-m", "Ask").code == 0
    index = str(world.root / ".git/worktrees/linked/index") if linked else ".git/index"
    assert called.lines[:2] == [f"args: hook pre-commit {index}", str(folder)]
    given = {line.partition("=")[0] for line in called.lines[2:]}
    assert given & set(world.git("rev-parse", "--local-env-vars").split()) == set()


def test_where_no_file_of_ours_is_staged_the_program_is_not_started(world: World, tmp_path: Path) -> None:
    called = record(world, tmp_path)
    write(world.root, "src/a.py", "pass\n")
    write(world.root, "tasks.yaml", BAD)
    assert commit(world.root, "-m", "Something else").code == 0
    assert called.lines == []


def test_a_task_that_is_taken_out_needs_no_check(world: World, tmp_path: Path) -> None:
    write(world.root, "tasks/one.yaml", GOOD)
    assert commit(world.root, "-m", "Ask").code == 0
    called = record(world, tmp_path)
    world.git("rm", "-q", "tasks/one.yaml")
    assert commit(world.root, "-m", "No more").code == 0
    assert called.lines == []


def test_a_merge_that_a_person_concludes_is_checked_and_one_without_conflict_only_wakes(world: World) -> None:
    write(world.root, "tasks/one.yaml", GOOD)
    assert commit(world.root, "-m", "Ask").code == 0
    world.git("checkout", "-qb", "topic")
    write(world.root, "tasks/one.yaml", GOOD + "priority: high\n")
    assert commit(world.root, "-m", "High").code == 0
    world.git("checkout", "-q", "main")
    write(world.root, "tasks/one.yaml", GOOD + "priority: low\n")
    assert commit(world.root, "-m", "Low").code == 0
    assert run(world.root, "git", "merge", "-q", "topic").code == 1
    world.git("add", "tasks/one.yaml")  # the marks of the conflict are still in it
    assert commit(world.root, "--no-edit").code == 1
    write(world.root, "tasks/one.yaml", GOOD + "priority: high\n")
    assert commit(world.root, "--no-edit").code == 0
    world.git("checkout", "-qb", "other")
    write(world.root, "tasks/two.yaml", GOOD)
    assert commit(world.root, "-m", "Two").code == 0
    world.git("checkout", "-q", "main")
    nudged(world)
    assert run(world.root, "git", "merge", "-q", "--no-edit", "--no-ff", "other").code == 0
    assert nudged(world)


def test_a_rebase_goes_through_and_wakes(world: World) -> None:
    world.git("checkout", "-qb", "topic")
    write(world.root, "tasks/one.yaml", GOOD)
    assert commit(world.root, "-m", "Ask").code == 0
    world.git("checkout", "-q", "main")
    write(world.root, "a.txt", "a\n")
    assert commit(world.root, "-m", "a").code == 0
    world.git("checkout", "-q", "topic")
    nudged(world)
    assert run(world.root, "git", "rebase", "-q", "main").code == 0
    assert nudged(world)
    assert world.git("status", "--porcelain") == ""


def test_a_tools_own_commit_is_checked_and_wakes_nobody(world: World) -> None:
    nudged(world)
    write(world.root, "tasks/one.yaml", GOOD)
    assert commit(world.root, "-m", "By a tool", ORCHESTRATOR_INVOCATION="01J").code == 0
    assert not nudged(world)
    write(world.root, "tasks/two.yaml", BAD)
    assert commit(world.root, "-m", "By a tool", ORCHESTRATOR_INVOCATION="01J").code == 1


def test_a_move_of_status_that_is_not_allowed_is_refused(tmp_path: Path, way: str) -> None:
    template = Ready(tmp_path / "made", {})
    template.trail, template.way = "tracked", way
    world = template.world
    write(world.root, "work/collaboration/inbox/one.yaml", GOOD)
    assert commit(world.root, "-m", "Ask").code == 0
    assigned = "work/collaboration/assigned/analyst/one.yaml"
    (world.root / assigned).parent.mkdir(parents=True, exist_ok=True)
    world.git("mv", "work/collaboration/inbox/one.yaml", assigned)
    write(world.root, assigned, f"{GOOD}status: assigned\n")
    ended = commit(world.root, "-m", "Assign")
    assert ended.code == 0, ended
    done = "work/collaboration/done/analyst/2026-02-12/one.yaml"
    (world.root / done).parent.mkdir(parents=True, exist_ok=True)
    world.git("mv", assigned, done)
    write(world.root, done, f"{GOOD}status: done\n")
    ended = commit(world.root, "-m", "Done by hand")
    assert ended.code == 1
    assert f"{done}:3:9: status: a task cannot go from assigned to done" in ended.err


def test_a_task_that_a_person_commits_in_the_work_folder_itself_is_checked(world: World) -> None:
    work = world.root / "work"
    write(work, "collaboration/inbox/one.yaml", "agent: nobody\ntitle: x\n")
    ended = commit(work, "-m", "By hand")
    assert ended.code == 1
    assert "collaboration/inbox/one.yaml:1:8: agent:" in ended.err
    write(work, "collaboration/inbox/one.yaml", GOOD)
    ended = commit(work, "-m", "By hand")
    assert (ended.code, ended.err) == (0, "")


def test_a_state_folder_that_cannot_be_written_stops_no_check(world: World) -> None:
    refs = world.root / ".git" / "orchestrator" / "hook-refs"
    refs.unlink()
    refs.mkdir()  # root writes everywhere, but no file over a folder
    write(world.root, "tasks/one.yaml", GOOD)
    ended = commit(world.root, "-m", "Ask")
    assert (ended.code, ended.err) == (0, "")
    write(world.root, "tasks/two.yaml", BAD)
    assert commit(world.root, "-m", "Ask").code == 1


def test_a_secret_is_refused_and_never_shown(world: World) -> None:
    write(world.root, "tasks/one.yaml", f"{GOOD}context:\n  note: use {SECRET}\n")
    ended = commit(world.root, "-m", "Ask")
    assert ended.code == 1
    assert "tasks/one.yaml:4:" in ended.err
    assert "secret (anthropic-key)" in ended.err
    assert SECRET not in ended.err + ended.out
    assert SECRET[10:20] not in ended.err + ended.out


def test_a_task_for_an_agent_that_the_same_commit_brings_is_good(world: World) -> None:
    agents = (world.root / "config" / "agents.yaml").read_text()
    write(world.root, "config/agents.yaml", f"{agents}\n  newcomer:\n    preferred_tool: brief\n")
    write(world.root, "tasks/one.yaml", "agent: newcomer\ntitle: Begin\n")
    write(world.root, "config/agents.yaml", agents, stage=False)  # on disk it is not
    ended = commit(world.root, "-m", "Somebody new")
    assert (ended.code, ended.err) == (0, "")


def test_folders_and_profiles_that_a_change_of_the_configuration_names_are_looked_at_from_then_on(world: World) -> None:
    write(world.root, "asks/one.yaml", BAD)
    assert commit(world.root, "-m", "Not ours").code == 0
    write(world.root, "config/policies.yaml", POLICIES.replace("tasks/", "asks/"))
    assert commit(world.root, "-m", "Take in from asks/").code == 0
    write(world.root, "asks/two.yaml", BAD)
    assert commit(world.root, "-m", "Ours").code == 1
    # not committed, and in force all the same
    newer = write(world.root, "config/policies.yaml", POLICIES.replace("tasks/", "wishes/"), stage=False)
    os.utime(newer, ns=(2**61, 2**61))
    world.git("reset", "-q")
    write(world.root, "wishes/one.yaml", BAD)
    assert commit(world.root, "-m", "Ours now").code == 1


def test_a_profile_that_an_agent_names_is_looked_at(world: World) -> None:
    agents = (world.root / "config" / "agents.yaml").read_text()
    write(world.root, "roles/new.agent.md", "---\nname: New\n---\nBe new.\n")
    write(
        world.root, "config/agents.yaml", f"{agents}\n  new: {{preferred_tool: brief, profile: roles/new.agent.md}}\n"
    )
    ended = commit(world.root, "-m", "Somebody new")
    assert (ended.code, ended.err) == (0, "")
    write(world.root, "roles/new.agent.md", "---\nname: [1\n---\nBe new.\n")
    ended = commit(world.root, "-m", "Badly")
    assert ended.code == 1
    assert "roles/new.agent.md:" in ended.err


@pytest.mark.parametrize(
    "name", ["a\nb.yaml", "it's.yaml", '"q".yaml', "-rf.yaml", "\udcff\udcfe.yaml", "a b.yaml", "$(touch pwned).yaml"]
)
def test_hostile_file_names_are_refused_as_task_ids_and_named_on_one_line(world: World, name: str) -> None:
    file = world.root / "tasks" / name
    file.parent.mkdir(exist_ok=True)
    Path(os.fsencode(file).decode("utf-8", "surrogateescape")).write_text(GOOD)
    world.git("add", "tasks")
    ended = commit(world.root, "-m", "Ask")
    assert ended.code == 1
    assert "cannot be a task's id" in ended.err
    assert len(ended.err.splitlines()) == 2, ended.err
    assert not (world.root / "pwned").exists()
    world.git("reset", "-q")
    (world.root / "src").mkdir()
    file.rename(world.root / "src" / name)
    world.git("add", "src")
    ended = commit(world.root, "-m", "Not ours")
    assert (ended.code, ended.err) == (0, "")


def test_links_and_files_that_are_too_large_are_no_tasks(world: World) -> None:
    (world.root / "tasks").mkdir()
    (world.root / "tasks" / "link.yaml").symlink_to("/etc/hostname")
    (world.root / "tasks" / "large.yaml").write_text(GOOD + f"description: {'x' * (1 << 20)}\n")
    world.git("add", "tasks")
    ended = commit(world.root, "-m", "Ask")
    assert ended.code == 1
    assert "tasks/link.yaml: is a link" in ended.err
    assert "tasks/large.yaml: is larger" in ended.err


# --- what fails for its own reasons loses no commit ---


@pytest.mark.parametrize("code", [1, 2, 70, 78, 137])
def test_a_program_that_is_broken_lets_the_commit_pass_and_one_line_says_so(
    world: World, tmp_path: Path, code: int
) -> None:
    record(world, tmp_path, code=code)
    write(world.root, "tasks/one.yaml", BAD)
    ended = commit(world.root, "-m", "Ask")
    assert ended.code == 0
    assert ended.err.startswith("orchestrator: this commit was not checked, and goes on: ")
    assert f"exit {code}" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_program_that_is_gone_lets_the_commit_pass_and_says_how_to_name_it(world: World, tmp_path: Path) -> None:
    world.git("config", "orchestrator.program", str(tmp_path / "gone"))
    write(world.root, "tasks/one.yaml", BAD)
    path = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if "venv" not in part)
    if any((Path(part) / "orchestrator").exists() for part in path.split(os.pathsep)):
        pytest.skip("another orchestrator is installed on this machine's PATH")
    ended = commit(world.root, "-m", "Ask", PATH=path)
    assert ended.code == 0
    assert "git config orchestrator.program" in ended.err


def test_a_script_that_is_gone_lets_the_commit_pass_and_says_how_to_get_it_back(world: World, way: str) -> None:
    (scripts(world.root / ".git", way) / "orchestrator-check").unlink()
    write(world.root, "tasks/one.yaml", BAD)
    ended = commit(world.root, "-m", TRAILED.replace("one", "?"))
    assert ended.code == 0
    assert ended.err.count("orchestrator hooks install") == 2


def test_a_configuration_that_is_broken_on_disk_stops_no_task_and_is_told(world: World) -> None:
    (world.root / "config" / "agents.yaml").write_text("agents: [\n")
    write(world.root, "tasks/one.yaml", GOOD)
    ended = commit(world.root, "-m", "Ask")
    assert ended.code == 0
    assert "orchestrator config validate" in ended.err


def test_a_repository_that_is_no_workspace_any_more_is_left_alone(world: World) -> None:
    import shutil

    shutil.rmtree(world.root / ".git" / "orchestrator")
    write(world.root, "tasks/one.yaml", BAD)
    ended = commit(world.root, "-m", "Ask")
    assert (ended.code, ended.err) == (0, "")


# --- commit-msg ---

TRAILED = "task: done one\n\nIt ended well.\n\nTask-Id: one\nTask-Transition: in_progress -> done\n"


@pytest.mark.parametrize(
    "message",
    [
        TRAILED,
        "Fix the login\n\nTask-Id: one\nSigned-off-by: A <a@b.example>\n",
        "tasks: are nice\n",
        'Revert "task: done one"\n\nThis reverts commit 0.\n',
        "Say what a task: is\n",
    ],
)
def test_well_formed_trailers_and_messages_of_other_things_pass(world: World, message: str) -> None:
    write(world.root, "a.txt", "a\n")
    ended = commit(world.root, "-m", message)
    assert (ended.code, ended.err) == (0, "")


def test_a_task_commit_with_bad_trailers_is_refused_and_its_message_kept(world: World) -> None:
    write(world.root, "a.txt", "a\n")
    ended = commit(world.root, "-m", TRAILED.replace("in_progress -> done", "finished"))
    assert ended.code == 1
    assert 'commit message:6:18: "finished" is no Task-Transition' in ended.err
    again = ended.err.splitlines()[-1].partition("kept: ")[2].partition(";")[0]
    assert again.startswith("git commit --edit --file=")
    ended = run(world.root, "sh", "-c", again, GIT_EDITOR="sed -i 's/finished/in_progress -> done/'")
    assert ended.code == 0, ended
    assert world.git("log", "-1", "--format=%(trailers:key=Task-Transition,valueonly)").strip() == "in_progress -> done"


def test_the_diff_of_a_verbose_commit_is_no_part_of_the_message(world: World) -> None:
    write(world.root, "notes.txt", "\n".join(f"line {number}\nTask-Id: ?" for number in range(100)))
    ended = run(world.root, "git", "commit", "-q", "-v", GIT_EDITOR="sed -i '1s/^/Notes\\n/'")
    assert (ended.code, ended.err) == (0, "")


def test_the_check_of_a_task_file_loads_neither_the_parser_of_arguments_nor_what_reads_configuration(
    world: World,
) -> None:
    write(world.root, "tasks/one.yaml", GOOD)
    call = (sys.executable, "-X", "importtime", "-m", "orchestrator", "hook", "pre-commit", ".git/index")
    assert run(world.root, *call).code == 0  # the settings are kept by now
    loaded = {line.rpartition("|")[2].strip() for line in run(world.root, *call).err.splitlines()}
    heavy = {"click", "pydantic", "asyncio", "jinja2", "git", "watchfiles", "sqlite3", "logging", "shutil", "tempfile"}
    assert loaded & heavy == set()
    assert {"yaml", "orchestrator.taskfile.vetting"} <= loaded
