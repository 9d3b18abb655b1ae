"""A person works in their repository while tasks flow: all is as it would have been without us, and nothing is lost."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from trail_feeder import Feeder, assert_branch_is_disk, git, make_repository, transitions

from orchestrator.adapters import place as places
from orchestrator.adapters.trail.own import OwnTrail

PRE_COMMIT = f"{shlex.quote(sys.executable)} -m pre_commit"
CONFIG = (
    "repos: [{repo: local, hooks: [{id: t, name: t, language: system, entry: sed -i s/untidy/tidy/, files: main.py}]}]"
)
TOPIC = (
    "git checkout -qb topic; echo t > main.py; git commit -qam t;"
    "git checkout -q main; echo m > main.py; git commit -qam m"
)

SCENARIOS = {
    "edits, stages and commits": [
        "echo a >> main.py; echo new > new.txt",
        "git add new.txt",
        "git commit -qm one",
        "git commit -qam two",
        "echo b >> main.py; git add -A; echo c >> main.py",
    ],
    "amends": [
        "echo a >> main.py; git commit -qam one",
        "git commit -q --amend -m better",
        "echo s > s; git add s; git commit -q --amend --no-edit",
    ],
    "rebases": [
        "git checkout -qb topic HEAD~1; echo t > t; git add .; git commit -qm t1; echo u >> t; git commit -qam t2",
        "git rebase -q main",
        "git checkout -q main; git merge -q --ff-only topic",
    ],
    "stops in a rebase with a conflict and goes on": [
        TOPIC,
        "git checkout -q topic; git rebase main || true",
        "git status",
        "echo both > main.py; git add main.py; GIT_EDITOR=true git rebase --continue",
    ],
    "merges": [
        "git checkout -qb topic; echo t > t; git add .; git commit -qm t",
        "git checkout -q main; echo m > m; git add .; git commit -qm m",
        "git merge -q --no-edit topic",
    ],
    "merges with a conflict": [
        TOPIC,
        "git merge topic || true",
        "git add -A; echo both > main.py; git add main.py; git commit -qm merged",
    ],
    "aborts a merge": [TOPIC, "git merge topic || true", "git merge --abort"],
    "stashes": ["echo a >> main.py; git stash -q", "git stash pop -q", "git checkout -q -- ."],
    "stashes untracked files": ["echo a >> main.py; echo u > u; git stash -q -u", "git stash pop -q"],
    "stashes everything": [
        "echo '*.log' > .gitignore; echo l > x.log; echo u > u; git stash -q -a",
        "git stash pop -q",
    ],
    "switches branches": [
        "git checkout -qb other HEAD~1; echo o > o; git add o; git commit -qm o",
        "git checkout -q main",
        "git switch -q --detach HEAD~1",
        "git switch -q main",
    ],
    "cleans": ["echo u > u; mkdir d; echo d > d/d; echo '*.log' > .gitignore; echo l > l.log", "git clean -qfdx"],
    "collects garbage": [
        "git gc -q",
        "git repack -qad",
        "echo a >> main.py; git commit -qam a; git gc -q --prune=now",
    ],
    "cherry-picks and reverts": [
        "echo a >> main.py; git commit -qam a",
        "git revert --no-edit HEAD >/dev/null",
        "git cherry-pick HEAD~1 >/dev/null",
    ],
    "has the pre-commit framework": [
        f"echo '{CONFIG}' > .pre-commit-config.yaml; git add .; git commit -qm hooks; {PRE_COMMIT} install",
        "echo untidy >> main.py; echo r >> README.md; git add main.py; git commit -qm x || true",
        "git add main.py; echo more >> main.py; git commit -qm x",
    ],
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_person_notices_nothing_while_tasks_flow(
    name: str, repository: Path, tmp_path: Path, open_trail: Callable[[Path], OwnTrail]
) -> None:
    twin = make_repository(tmp_path / "without" / "repository")
    trail = open_trail(repository)
    place = places.find(repository)
    assert place.common_dir is not None
    assert seen(repository) == seen(twin)
    with Feeder(trail, place.work) as feeder:
        for number, step in enumerate(SCENARIOS[name]):
            said = [run(step, folder, number) for folder in (repository, twin)]
            feeder.await_more()
            assert said[0] == said[1]
            assert seen(repository) == seen(twin), f"after {step}"
    assert trail.flush(30), trail.trouble
    assert_branch_is_disk(place)
    assert all((place.work / path).exists() for path in feeder.finished)
    told = [line for line in transitions(place.common_dir) if line.startswith("task:")]
    assert len(told) == len(set(told)) == feeder.recorded
    git(repository, "fsck", "--no-dangling", "--connectivity-only")


def run(step: str, folder: Path, number: int) -> tuple[int, str]:
    """A step as a person types it; at the same time everywhere, so that the commits are the same."""
    time = f"{1_800_000_000 + number * 60} +0000"
    env = {**os.environ, "GIT_AUTHOR_DATE": time, "GIT_COMMITTER_DATE": time}
    ended = subprocess.run(["sh", "-ec", step], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.returncode, ended.stdout


def seen(folder: Path) -> dict[str, object]:
    """All that a person has: branches and history, index, status, stashes, and the files themselves."""
    return {
        "status": git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=all"),
        "index": git(folder, "ls-files", "-s"),
        "head": (folder / ".git" / "HEAD").read_text(),
        "refs": branches(folder),
        "history": git(folder, "log", "--format=%H %s", "HEAD"),
        "stash": git(folder, "stash", "list", "--format=%H"),
        "files": {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted([*folder.glob("*"), *folder.glob("[!.w]*/**/*")])
            if path.is_file()
        },
    }


def branches(folder: Path) -> list[str]:
    """Every ref but ours."""
    said = git(folder, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return [line for line in said if not line.startswith("refs/heads/orchestrator/work ")]
