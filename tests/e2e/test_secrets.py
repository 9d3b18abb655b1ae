"""What a tool prints of the secrets that it was given is in no file that git has."""

import subprocess
from pathlib import Path

import pytest
from cli_world import World, repository

VALUE = "q7Vd-9xTz_Wm4Rb2Lk8Hs"
TOKEN = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6"  # put together here, so that nothing takes it for a leak
CONFIG = {
    "tools": f"""
tools:
  leaky:
    binary: sh
    command: ["{{binary}}", "-c", "echo the key is $MY_API_KEY; echo {TOKEN[:4]}''{TOKEN[4:]}; echo $MY_API_KEY >&2"]
    env_pass: [MY_API_KEY]
  failing:
    binary: sh
    command: ["{{binary}}", "-c", "echo cannot use $MY_API_KEY >&2; exit 3"]
    env_pass: [MY_API_KEY]
  honest:
    binary: sh
    command: ["{{binary}}", "-c", "echo all is well"]
""",
    "agents": """
agents:
  dev: {preferred_tool: leaky}
  sad: {preferred_tool: failing}
  fine: {preferred_tool: honest}
""",
    "models": "models: {}\n",
    "policies": """
policies:
  default: {privacy: full}
checks:
  prints: {command: [sh, -c, 'echo $MY_API_KEY; exit 1'], env_pass: [MY_API_KEY]}
""",
}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A workspace."""
    world = repository(tmp_path / "repo")
    world.well("init")
    world.configure(CONFIG)
    return world


def test_no_secret_gets_into_an_event_a_log_a_task_file_or_a_commit(world: World) -> None:
    world.drop("one.yaml", "agent: dev\ntitle: Leak\n")
    world.drop("two.yaml", "agent: sad\ntitle: Fail\n")
    world.drop("three.yaml", "agent: fine\ntitle: Check\nverify: [prints]\n")
    ended = world("daemon", "--until-idle", env={"MY_API_KEY": VALUE})
    assert ended.code == 0, ended
    history = subprocess.run(
        ["git", "log", "-p", "--all", "--format=%B"], cwd=world.root, check=True, capture_output=True, text=True
    ).stdout
    files = [path for path in (world.root / "work").rglob("*") if path.is_file()]
    written = history + "".join(path.read_text(errors="replace") for path in files)
    for secret in (VALUE, TOKEN):
        assert secret not in written
    assert "[redacted:MY_API_KEY]" in written
    assert "[redacted:github-token]" in written
    assert "cannot use [redacted:MY_API_KEY]" in written
    assert "all is well" in written


def all_that_git_has(world: World) -> str:
    return subprocess.run(
        ["git", "log", "-p", "--all", "--format=%B"], cwd=world.root, check=True, capture_output=True, text=True
    ).stdout


def test_a_task_file_with_a_token_is_kept_on_this_machine_and_told_and_never_committed(world: World) -> None:
    world.drop("one.yaml", f"agent: fine\ntitle: Push\ndescription: |\n  Use {TOKEN} for it\n")
    world.drop("two.yaml", f"agent: fine\ntitle: [{TOKEN}\n")  # no task either; the reason would show the line
    world.drop("three.yaml", "agent: fine\ntitle: Check\n")
    ended = world("daemon", "--until-idle")
    assert ended.code == 0, ended
    assert world.events_of("three")[-1]["status"] == "done"
    aside = world.root / ".git" / "orchestrator" / "rejected"
    assert sorted(file.name for file in aside.iterdir()) == ["one.yaml", "two.yaml"]
    assert TOKEN in (aside / "one.yaml").read_text()
    rejected = world.root / "work" / "collaboration" / "rejected"
    assert sorted(file.name for file in rejected.iterdir()) == ["one.yaml.why.md", "two.yaml.why.md"]
    note = (rejected / "one.yaml.why.md").read_text()
    assert "one.yaml:4:7: holds what looks like a secret (github-token)" in note
    assert str(aside) in note
    files = [path for path in (world.root / "work").rglob("*") if path.is_file()]
    assert TOKEN not in all_that_git_has(world) + "".join(path.read_text(errors="replace") for path in files)
    assert "rejected one.yaml" in all_that_git_has(world)


def test_a_value_that_tools_are_given_is_a_secret_in_a_task_too(world: World) -> None:
    world.drop("one.yaml", f"agent: fine\ntitle: Log in\nprompt: the key is {VALUE}\n")
    ended = world("daemon", "--until-idle", env={"MY_API_KEY": VALUE})
    assert ended.code == 0, ended
    assert VALUE not in all_that_git_has(world)
    assert (world.root / "work" / "collaboration" / "rejected" / "one.yaml.why.md").is_file()


@pytest.mark.parametrize(
    "words",
    [("submit", "--agent", "fine", "--title", f"Use {TOKEN}"), ("exec", "--agent", "fine", "--prompt", f"Use {TOKEN}")],
    ids=["submit", "exec"],
)
def test_what_is_asked_with_a_token_is_refused_before_it_is_written(world: World, words: tuple[str, ...]) -> None:
    ended = world(*words)
    assert ended.code == 1
    assert "holds what looks like a secret (github-token)" in ended.err
    assert TOKEN not in ended.err
    files = [path for path in (world.root / "work").rglob("*") if path.is_file()]
    assert TOKEN not in all_that_git_has(world) + "".join(path.read_text(errors="replace") for path in files)


def test_what_only_stands_beside_a_telling_name_does_not_stop_a_task(world: World) -> None:
    world.drop("one.yaml", "agent: fine\ntitle: Rotate\ndescription: |\n  api_key = Zq8Lw2Xv9Tb4Rk7Mn3 is an example\n")
    world.well("daemon", "--until-idle")
    assert world.events_of("one")[-1]["status"] == "done"


def test_a_start_that_commits_what_was_left_commits_no_task_that_nobody_looked_at(world: World) -> None:
    world.drop("one.yaml", f"agent: fine\ntitle: Use {TOKEN}\n")
    for journal in (world.root / ".git" / "orchestrator").glob("trail.journal*"):
        journal.unlink()  # then all that is on disk is compared with the branch
    world.well("daemon", "--until-idle")
    assert TOKEN not in all_that_git_has(world)
    assert (world.root / "work" / "collaboration" / "rejected" / "one.yaml.why.md").is_file()
