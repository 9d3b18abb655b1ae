"""The demo: what a newcomer sees."""

from pathlib import Path

from cli_world import World, repository

from orchestrator.demo.story import COMMITS, EXPECTED


def test_the_demo_shows_every_outcome_and_where_to_look_next(tmp_path: Path) -> None:
    world = World(tmp_path)
    kept = tmp_path / "a kept one"
    ended = world("demo", "--fast", "--keep", str(kept))
    assert ended.code == 0, ended
    for task, outcome in EXPECTED.items():
        assert f"{outcome.ljust(8)}  {task}" in ended.out
    assert 'did you mean "backend-dev"' in ended.out
    assert "waiting" in ended.err
    assert "task: done" in ended.out
    assert f"--root '{kept}' status" in ended.out
    inside = World(kept)
    assert len(inside.git("log", "--format=%H", "main").splitlines()) == len(COMMITS)
    assert inside.git("status", "--porcelain", "--untracked-files=no") == ""
    briefs = list((kept / "work" / "reports" / "logs").rglob("*.md"))
    assert len(briefs) == sum(outcome == "done" for outcome in EXPECTED.values())
    assert "\x1b" not in ended.out + ended.err


def test_the_demo_in_json_is_one_document(tmp_path: Path) -> None:
    data = World(tmp_path).well("demo", "--fast", "--json", "--keep", str(tmp_path / "d")).data
    assert data["unexpected"] == []
    assert {task["id"]: task["outcome"] for task in data["tasks"]} == EXPECTED


def test_the_demo_does_not_touch_a_folder_that_is_in_use(tmp_path: Path) -> None:
    world = repository(tmp_path)
    ended = world("demo", "--keep", str(tmp_path))
    assert ended.code == 2
    assert "not empty" in ended.err
    assert world.git("status", "--porcelain") == ""
