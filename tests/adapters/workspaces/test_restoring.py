"""What a check leaves in a worktree goes, and nothing else does."""

import os
import shutil
from pathlib import Path

from conftest import House, write


def test_what_changed_came_and_went_since_the_work_was_committed_is_put_back(house: House) -> None:
    workspace = house.prepare()
    top = Path(workspace.path)
    write(top, {"made/by/tool.txt": "work", "script.sh": "#!/bin/sh\n"})
    (top / "script.sh").chmod(0o755)
    evidence = house.conclude(workspace)
    write(top, {"made/by/tool.txt": "trampled", "report/of/tests.xml": "<x/>", "build/cache": "ignored"})
    (top / "src/main.py").unlink()
    (top / "script.sh").chmod(0o644)
    shutil.rmtree(top / "made")
    (top / "made").write_text("a file where a folder was")
    house.port.restore(workspace, all_was_committed=True)
    assert (top / "made/by/tool.txt").read_text() == "work"
    assert (top / "src/main.py").read_text() == "print(1)\n"
    assert os.access(top / "script.sh", os.X_OK)
    assert not (top / "report/of/tests.xml").exists()
    assert (top / "build/cache").exists()
    assert house.conclude(workspace).head == evidence.head
    assert house.port.release(workspace) == ""


def test_a_check_that_makes_a_link_to_somewhere_else_costs_nothing_there(house: House, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    write(elsewhere, {"main.py": "mine", "precious.txt": "mine"})
    workspace = house.prepare()
    top = Path(workspace.path)
    house.conclude(workspace)
    shutil.rmtree(top / "src")
    (top / "src").symlink_to(elsewhere)
    (top / "more").symlink_to(elsewhere)
    house.port.restore(workspace, all_was_committed=True)
    assert {path.name: path.read_text() for path in elsewhere.iterdir()} == {"main.py": "mine", "precious.txt": "mine"}
    assert not (top / "src").is_symlink()
    assert (top / "src/main.py").read_text() == "print(1)\n"
    assert not (top / "more").is_symlink()


def test_nothing_happens_where_the_worktree_is_gone(house: House) -> None:
    workspace = house.prepare()
    shutil.rmtree(workspace.path)
    house.port.restore(workspace, all_was_committed=True)
    assert not Path(workspace.path).exists()


def test_what_could_not_be_committed_stays_for_a_person_to_look_at(house: House, tmp_path: Path) -> None:
    workspace = house.prepare()
    top = Path(workspace.path)
    (top / "more").symlink_to(tmp_path)
    assert house.conclude(workspace).kept
    write(top, {"report.xml": "<x/>"})
    house.port.restore(workspace, all_was_committed=False)
    assert (top / "more").is_symlink()
    assert not (top / "report.xml").exists()
