"""Git as this workspace needs it: its version, who commits, the hooks."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from orchestrator.adapters import hooks_configured
from orchestrator.adapters.git import Git, GitError
from orchestrator.core.finding import Finding, Topic

GIT = Topic(name="git")
OLDEST = (2, 31)  # rev-parse --path-format; rev-parse --end-of-options is of 2.30
_BETTER = (
    ((2, 36), "syncs of packs and branches that git chooses itself (core.fsync)"),
    ((2, 38), "merges without a checkout (merge-tree --write-tree), for tasks that build on several others"),
)
_HOOK = "post-commit"
_NUDGE = "orchestrator-nudge"
_CONFIGURED = "hook.orchestrator-post-commit.command"  # where git is new enough (hooks_configured)
_SECONDS = 2.0


def version(folder: Path, *, said: str | None = None) -> Iterator[Finding]:
    """The version, and what a newer one would give. `said` stands for what `git version` prints."""
    try:
        text = Git(folder).text("version", seconds=_SECONDS) if said is None else said
    except GitError as error:
        yield GIT.fail("version", str(error), f"install git {_dotted(OLDEST)} or newer")
        return
    found = tuple(int(part) for part in re.findall(r"\d+", text)[:2])
    missing = [f"{_dotted(since)} has {what}" for since, what in _BETTER if found < since]
    number = text.removeprefix("git version ")
    if found < OLDEST:
        yield GIT.fail("version", number, f"install git {_dotted(OLDEST)} or newer")
    elif missing:
        yield GIT.warn("version", number, f"a newer git would give more: {'; '.join(missing)}")
    else:
        yield GIT.ok("version", number)


def identity(folder: Path) -> Iterator[Finding]:
    """Who commits there."""
    git = Git(folder)
    names = [git.call("config", "--get", f"user.{part}", seconds=_SECONDS) for part in ("name", "email")]
    if all(name.returncode == 0 for name in names):
        yield GIT.ok("identity", f"{' '.join(name.stdout.decode(errors='replace').strip() for name in names)}")
        return
    said = git.call("var", "GIT_COMMITTER_IDENT", seconds=_SECONDS)
    person = re.match(r"(.*<[^<>\n]*>)", said.stdout.decode(errors="replace").strip())
    who = (
        f"git would commit as {person[1]}" if said.returncode == 0 and person else "commits are made as `orchestrator`"
    )
    yield GIT.warn(
        "identity",
        f"no user.name and user.email are set; {who}",
        "git config user.name 'Your Name' && git config user.email you@example.org",
    )


def hooks(folder: Path) -> Iterator[Finding]:
    """Whether git tells us of commits at once. Without hooks the daemon looks each second."""
    git = Git(folder)
    said = git.call("config", "--get-all", "--type=path", "core.hooksPath", seconds=_SECONDS)
    paths = said.stdout.decode(errors="replace").splitlines()[:-1]  # the last one is of our own hardening: no hooks
    where = git.call("rev-parse", "--path-format=absolute", "--git-common-dir", seconds=_SECONDS)
    if where.returncode:
        yield GIT.skip("hooks", "no repository")
        return
    if git.call("config", "--get", _CONFIGURED, seconds=_SECONDS).stdout.strip():
        if (found := hooks_configured.version(git)) >= hooks_configured.SINCE:
            yield GIT.ok("hooks", "named in git's configuration")
        else:
            what = f"named in git's configuration, and git {_dotted(found)} does not run those"
            yield GIT.warn("hooks", what, "orchestrator hooks install")
        return
    default = Path(os.fsdecode(where.stdout.strip())) / "hooks"
    folder_of_hooks = folder / paths[-1] if paths else default
    if not _is_ours(folder_of_hooks / _HOOK):
        yield GIT.skip("hooks", f"none of ours in {folder_of_hooks}: commits are seen within a second, not at once")
    elif not os.access(folder_of_hooks / _HOOK, os.X_OK) or not os.access(folder_of_hooks / _NUDGE, os.X_OK):
        yield GIT.warn(
            "hooks",
            f"{folder_of_hooks}: they cannot be run",
            f"chmod +x {folder_of_hooks}/post-* {folder_of_hooks / _NUDGE}",
        )
    else:
        yield GIT.ok("hooks", f"in {folder_of_hooks}")


def _is_ours(hook: Path) -> bool:
    try:
        return _NUDGE in hook.read_text(encoding="utf-8", errors="replace")[:4096]
    except OSError:
        return False


def _dotted(number: tuple[int, ...]) -> str:
    return ".".join(map(str, number))
