"""What a person or a program does with files in the inbox, and what the daemon makes of it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from situations import POLICIES, Workspace, make_repository, text_of, type_in


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace with a daemon that watches."""
    made = Workspace(make_repository(tmp_path / "repository")).init()
    made.daemon()
    yield made
    made.close()


def all_are_done(workspace: Workspace) -> None:
    """And each was done once, and committed."""
    workspace.wait_done()
    workspace.stop()
    workspace.is_well()
    workspace.ran_once()


def test_files_are_moved_in_from_elsewhere(workspace: Workspace, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"moved-{number}.yaml").write_text(text_of(f"moved-{number}"))
        shutil.move(tmp_path / f"moved-{number}.yaml", workspace.inbox)
        workspace.dropped.append(f"moved-{number}")
    all_are_done(workspace)


def test_a_file_that_is_held_open_is_left_alone_until_it_is_closed(workspace: Workspace) -> None:
    text = text_of("slowly")
    with (workspace.inbox / "slowly.yaml").open("w") as file:
        file.write(text[: len(text) - 12])  # what is there is a whole task already
        file.flush()
        workspace.drop("meanwhile")
        workspace.wait_done("meanwhile")
        workspace.drop("meanwhile-2")
        workspace.wait_done("meanwhile-2")
        assert workspace.where("slowly") == ["inbox/slowly.yaml"]
        file.write(text[len(text) - 12 :])
    workspace.dropped.append("slowly")
    all_are_done(workspace)
    done = workspace.work / "collaboration" / workspace.where("slowly")[0]
    assert "title: 'Do slowly'" in done.read_text()


def test_a_file_that_is_written_in_two_strokes_is_waited_for(workspace: Workspace) -> None:
    # The first stroke alone is no task: it says nothing that is to be done.
    path = workspace.inbox / "strokes.yaml"
    type_in(workspace.root, f"printf 'id: strokes\\nagent: quick\\n' > {path}")
    workspace.drop("meanwhile")
    workspace.wait_done("meanwhile")
    type_in(workspace.root, f"printf 'title: Two strokes\\n' >> {path}")
    workspace.dropped.append("strokes")
    all_are_done(workspace)


def test_hidden_and_unfinished_names_are_no_tasks(workspace: Workspace) -> None:
    names = [
        ".hidden.yaml",
        "half.yaml.tmp",
        "half.yaml.part",
        "half.yaml~",
        ".half.yaml.swp",
        "notes.txt",
        "README.md",
    ]
    for name in names:
        (workspace.inbox / name).write_text(text_of("half"))
    workspace.drop("meanwhile")
    workspace.wait_done()
    assert sorted(path.name for path in workspace.inbox.iterdir()) == sorted(names)
    assert not list((workspace.work / "collaboration" / "rejected").iterdir())
    for name in names:
        (workspace.inbox / name).unlink()
    all_are_done(workspace)


def test_the_short_suffix_is_kept(workspace: Workspace) -> None:
    (workspace.inbox / "short.yml").write_text(text_of("short"))
    workspace.dropped.append("short")
    all_are_done(workspace)
    assert workspace.where("short")[0].endswith("/short.yml")


def test_what_is_no_task_is_kept_with_the_reason_beside_it(workspace: Workspace) -> None:
    (workspace.inbox / "broken.yaml").write_text("agent: quick\ntitle: 'never closed\n")
    rejected = workspace.work / "collaboration" / "rejected"
    workspace.wait_until((rejected / "broken.yaml.why.md").exists, "the reason is there")
    assert (rejected / "broken.yaml").read_text() == "agent: quick\ntitle: 'never closed\n"
    assert "2" in (rejected / "broken.yaml.why.md").read_text()
    workspace.stop()
    workspace.is_well()


def test_three_hundred_at_once_are_all_taken(workspace: Workspace, tmp_path: Path) -> None:
    heap = tmp_path / "heap"
    heap.mkdir()
    for number in range(300):
        (heap / f"many-{number:03d}.yaml").write_text(text_of(f"many-{number:03d}", agent="person"))
    workspace.configure(policies=POLICIES.replace("2", "8"))
    type_in(workspace.root, f"mv {heap}/*.yaml {workspace.inbox}/")
    workspace.dropped += [f"many-{number:03d}" for number in range(300)]
    workspace.wait_until(lambda: not list(workspace.inbox.iterdir()), "all are taken")
    assert all(workspace.where(task)[0].startswith("assigned/person/") for task in workspace.dropped)
    workspace.stop()
    workspace.is_well()


def test_the_inbox_is_removed_and_made_again(workspace: Workspace) -> None:
    workspace.drop("before")
    workspace.wait_done()
    shutil.rmtree(workspace.inbox)
    workspace.wait_until(workspace.inbox.is_dir, "it is made again")
    shutil.rmtree(workspace.inbox)
    workspace.inbox.mkdir(exist_ok=True)
    workspace.drop("after")
    workspace.wait_done()
    workspace.drop("after-that")
    all_are_done(workspace)


def test_a_file_that_a_person_puts_into_an_agents_folder_is_done_like_any_other(workspace: Workspace) -> None:
    workspace.drop("first")
    workspace.wait_done()
    for agent, task in (("quick", "put-there"), ("writer", "put-into-a-new-folder")):
        folder = workspace.work / "collaboration" / "assigned" / agent
        folder.mkdir(parents=True, exist_ok=True)
        hidden = folder / f".{task}"
        hidden.write_text(text_of(task, agent=agent))
        hidden.rename(folder / f"{task}.yaml")
        workspace.dropped.append(task)
    all_are_done(workspace)


def test_priority_and_age_decide_the_order(workspace: Workspace) -> None:
    workspace.stop()
    workspace.configure(policies=POLICIES.replace("2", "1"))
    wanted = ["urgent", "soon", "old", "middle-aged", "young", "whenever"]
    priorities = {"urgent": "critical", "soon": "High", "whenever": "low"}
    for age, task in enumerate(["young", "whenever", "middle-aged", "urgent", "old", "soon"]):
        workspace.drop(task, **({"priority": priorities[task]} if task in priorities else {}))
        older = {"old": 3000, "middle-aged": 2000, "young": 1000}.get(task, 0) + age
        path = workspace.inbox / f"{task}.yaml"
        os.utime(path, (path.stat().st_atime - older, path.stat().st_mtime - older))
    workspace.daemon("--until-idle")
    assert workspace.runs() == wanted
    workspace.is_well()


def test_links_in_the_inbox_are_refused_and_never_followed(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text(text_of("secret"))
    (workspace.inbox / "secret.yaml").symlink_to(tmp_path / "secret.yaml")
    rejected = workspace.work / "collaboration" / "rejected"
    workspace.wait_until((rejected / "secret.yaml.why.md").exists, "the reason is there")
    assert "link" in (rejected / "secret.yaml.why.md").read_text()
    assert (tmp_path / "secret.yaml").read_text() == text_of("secret")
    workspace.stop()
    assert workspace.runs() == []
