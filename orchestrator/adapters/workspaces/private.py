"""Git on a folder that a tool has touched, with a git directory of our own.

Whatever the tool wrote into the repository's configuration, hooks or attributes, into the worktree's `.git` or into a
nested one: none of it is read, so none of it runs (SECURITY-FACTS 3.1: an own GIT_DIR executed 0 of 20 payloads).
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from orchestrator.adapters.git import Git

# Values that decide how files and blobs correspond; none of them can name a program.
_CARRIED = frozenset({"autocrlf", "eol", "filemode", "ignorecase", "symlinks", "precomposeunicode"})
_HARMLESS = frozenset({"true", "false", "input", "lf", "crlf", "native", ""})
_FILTER = frozenset({"clean", "smudge", "process", "required"})
_FIXED = """\
[core]
\tbare = false
\thooksPath = /dev/null
\tattributesFile = /dev/null
\texcludesFile = /dev/null
\tfsmonitor = false
\tuntrackedCache = false
\tsplitIndex = false
\tsafecrlf = false
\tfsync = committed,loose-object
\tfsyncMethod = batch
[checkout]
\tworkers = 2
[diff]
\tignoreSubmodules = all
[submodule]
\trecurse = false
[gc]
\tauto = 0
"""


def repository(common: Path, git_dir: Path | None = None) -> Git:
    """Git in the repository itself: for its refs and its list of worktrees, never for files."""
    env = {"GIT_DIR": str(git_dir or common), "GIT_COMMON_DIR": str(common)}
    return Git(common, env)


def open_private(common: Path, folder: Path, *, work_tree: Path | None, index: Path) -> Git:
    """Makes `folder` a git directory anew, with the repository's objects, and returns git in it.

    Without a work tree it answers questions about objects alone.
    """
    shutil.rmtree(folder, ignore_errors=True)  # nothing that a tool could have put there survives
    (folder / "refs").mkdir(parents=True)
    (folder / "objects").mkdir()
    (folder / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
    (folder / "config").write_text(_configuration(common), encoding="utf-8", errors="surrogateescape")
    env = {
        "GIT_DIR": str(folder),
        "GIT_OBJECT_DIRECTORY": str(common / "objects"),
        "GIT_INDEX_FILE": str(index),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
    }
    if (common / "shallow").is_file():
        env["GIT_SHALLOW_FILE"] = str(common / "shallow")
    if work_tree is not None:
        env["GIT_WORK_TREE"] = str(work_tree)
    return Git(work_tree or folder, env)


def _configuration(common: Path) -> str:
    """What carries over from the person's configuration.

    Line ends and the like from everywhere; filters (git-lfs) only from the person's own and the machine's: what stands
    in the repository's can be a tool's work.
    """
    wanted = "^(core\\.(" + "|".join(sorted(_CARRIED)) + ")|extensions\\.objectformat|filter\\..*)$"
    said = repository(common).call("config", "--show-scope", "-z", "--get-regexp", wanted)
    items = said.stdout.split(b"\0") if said.returncode == 0 else []
    core: dict[str, str] = {}
    filters: dict[str, dict[str, str]] = {}
    sha256 = False
    for scope, pair in zip(items[0::2], items[1::2], strict=False):
        key, _, value = os.fsdecode(pair).partition("\n")
        section, _, rest = key.partition(".")
        if section == "extensions":
            sha256 = value.lower() == "sha256"
        elif section == "core" and value.lower() in _HARMLESS:
            core[rest] = value
        elif section == "filter" and scope in {b"global", b"system"}:
            name, _, what = rest.rpartition(".")
            if name and what in _FILTER:
                filters.setdefault(name, {})[what] = value
    lines = [_FIXED, "[core]", f"\trepositoryformatversion = {int(sha256)}"]
    lines += [f"\t{name} = {value or 'true'}" for name, value in core.items()]
    if sha256:
        lines += ["[extensions]", "\tobjectFormat = sha256"]
    lines += _filters(common, filters)
    return "\n".join(lines) + "\n"


def _filters(common: Path, filters: Mapping[str, Mapping[str, str]]) -> list[str]:
    lines: list[str] = []
    for name, values in filters.items():
        lines.append(f'[filter "{_escaped(name)}"]')
        lines += [f'\t{what} = "{_escaped(value)}"' for what, value in values.items()]
    if "lfs" in filters:  # else it would keep its files in our git directory, which is thrown away
        lines += ["[lfs]", f'\tstorage = "{_escaped(str(common / "lfs"))}"']
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
