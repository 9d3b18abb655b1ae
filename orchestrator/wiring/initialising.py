"""Makes a workspace: configuration, folders, the trail. What is there already stays as it is."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

from git import Repo

from orchestrator.adapters import files
from orchestrator.adapters.lock import WorkspaceLock
from orchestrator.adapters.mailbox import FolderMailbox
from orchestrator.adapters.place import Place
from orchestrator.core.settings import TrailMode
from orchestrator.resources import folder
from orchestrator.wiring.configuring import read_settings
from orchestrator.wiring.trails import open_trail

FILES = ("agents.yaml", "tools.yaml", "models.yaml", "policies.yaml")


def initialise(place: Place, *, mode: str | None, force: bool) -> dict[str, object]:
    """What was made: {made: paths, trail: mode, next: command}. Raises OrchestratorError where it cannot be."""
    (place.state / "requests").mkdir(parents=True, exist_ok=True)  # by it the git hooks know that somebody listens
    with WorkspaceLock(place.state, what="init"):
        wanted = TrailMode(mode) if mode else _fitting_mode(place)
        made = _configure(place, wanted, force=force)
        settings = read_settings(place)
        is_new = not (place.work / "collaboration").is_dir()
        notes: list[str] = []
        trail = open_trail(place, settings.trail, notes)
        try:
            FolderMailbox(place.work).make_folders()
            notes += trail.recover().notes
        finally:
            trail.close()
    if is_new:
        made.append("work/")
    mode_in_force = TrailMode.NONE if place.git_dir is None else settings.trail.mode
    return {"made": made, "trail": str(mode_in_force), "notes": notes, "next": _next(place)}


def _fitting_mode(place: Place) -> TrailMode:
    if place.git_dir is None:
        return TrailMode.NONE
    if place.bare:
        return TrailMode.OWN
    with Repo(
        place.root, expand_vars=False
    ) as repository:  # opened and closed at once: GitPython is not for processes that live long
        is_tracked = bool(repository.git.ls_files("--", "work"))
    return TrailMode.TRACKED if is_tracked else TrailMode.OWN


def _configure(place: Place, mode: TrailMode, *, force: bool) -> list[str]:
    made = []
    place.config.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        target = place.config / name
        if target.exists():
            if not force:
                continue
            kept = target.with_name(f"{name}.{datetime.now(UTC):%Y%m%dT%H%M%S}.bak")
            shutil.copy2(target, kept)
            made.append(f"{place.config.name}/{kept.name}")
        files.write_beside_and_rename(target, _text(folder("config") / name, mode))
        made.append(f"{place.config.name}/{name}")
    return made


def _text(shipped: Path, mode: TrailMode) -> bytes:
    text = shipped.read_text(encoding="utf-8")
    if shipped.name == "policies.yaml":
        text = re.sub(r"(?m)^(trail:\n  mode: )\w+", rf"\g<1>{mode}", text)
    return text.encode()


def _next(place: Place) -> str:
    flag = " --no-git" if place.git_dir is None else ""
    return f"orchestrator{flag} submit --agent analyst --title 'Sum up this repository'"
