"""Our checks through the real pre-commit framework, as `.pre-commit-hooks.yaml` declares them.

What that file declares is run from here (`language: system`), because an installation would ask the package index.
"""

import shlex
import sys
from pathlib import Path

import pytest
import yaml
from cli_world import World, repository
from hooks_world import BAD, GOOD, SECRET, commit, run, write

MANIFEST = Path(__file__).parents[2] / ".pre-commit-hooks.yaml"
IDS = ["orchestrator-config", "orchestrator-task", "orchestrator-no-secrets"]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A workspace whose commits go through the framework."""
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_COLOR", "1")
    made = repository(tmp_path / "repository")
    made.well("init", "--no-hooks")
    hooks = yaml.safe_load(MANIFEST.read_text())
    for hook in hooks:
        hook["language"] = "system"
        hook["entry"] = f"{shlex.quote(sys.executable)} -m {hook['entry']}"  # the framework splits it as a shell would
    write(made.root, ".pre-commit-config.yaml", yaml.safe_dump({"repos": [{"repo": "local", "hooks": hooks}]}))
    made.git("add", "-A")
    made.git("commit", "-qm", "Configure")
    assert run(made.root, sys.executable, "-m", "pre_commit", "install").code == 0
    return made


def test_the_manifest_is_one_and_has_the_three_checks(tmp_path: Path) -> None:
    ended = run(tmp_path, sys.executable, "-m", "pre_commit", "validate-manifest", str(MANIFEST))
    assert ended.code == 0, ended
    hooks = yaml.safe_load(MANIFEST.read_text())
    assert [hook["id"] for hook in hooks] == IDS
    assert all(hook["require_serial"] for hook in hooks)  # one start of Python for all files


def test_good_files_pass_and_others_start_nothing(world: World) -> None:
    write(world.root, "tasks/one.yaml", GOOD)
    ended = commit(world.root, "-m", "Ask")
    assert ended.code == 0
    assert "orchestrator task files..................................................Passed" in ended.err
    write(world.root, "a.txt", "a\n")
    ended = commit(world.root, "-m", "a")
    assert ended.err.count("(no files to check)Skipped") == 3


def test_what_is_staged_is_checked_and_what_to_do_is_told(world: World) -> None:
    write(world.root, "tasks/one.yaml", BAD)
    write(world.root, "tasks/two.yaml", f"{GOOD}notes: {SECRET}\n")
    write(world.root, "tasks/one.yaml", GOOD, stage=False)  # put aside while the checks run
    agents = (world.root / "config" / "agents.yaml").read_text()
    write(world.root, "config/agents.yaml", agents + "\nagents: {}\n")
    ended = commit(world.root, "-m", "Ask")
    assert ended.code == 1
    assert "tasks/one.yaml:2:9: status:" in ended.err
    assert "tasks/two.yaml:3:8: holds what looks like a secret" in ended.err
    assert "config/agents.yaml:" in ended.err
    assert SECRET not in ended.err
    assert "SKIP=orchestrator-task git commit goes past this check" in ended.err
    skipped = commit(world.root, "-m", "Ask", SKIP=",".join(IDS))
    assert skipped.code == 0, skipped


def test_a_task_in_a_folder_of_the_workspace_is_checked_against_it(world: World) -> None:
    folder = world.root / "work" / "collaboration" / "done" / "analyst" / "2026-02-12"
    folder.mkdir(parents=True)
    (folder / "one.yaml").write_text(f"{GOOD}status: assigned\n")
    (folder / "two.yaml").write_text(f"{GOOD}status: done\nid: three\n")
    names = [f"work/collaboration/done/analyst/2026-02-12/{name}.yaml" for name in ("one", "two")]
    ended = world("hook", "check-task", *names)
    assert ended.code == 1
    assert "one.yaml:3:9: status:" in ended.err
    assert "two.yaml:4:5: id:" in ended.err
