"""Where the known command-line tools look for their credentials. Whether something is there, never what."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where one tool's credentials are."""

    variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()  # below HOME
    moved_by: str = ""  # a variable that names another folder for the files' own
    elsewhere: str = ""  # where they can be that nobody can look
    elsewhere_on: str = ""  # only on this sys.platform; empty: on any


_KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENROUTER_API_KEY")
# By the name of the program. What the tools' own documentation says of version 2.1 of claude, 0.169 of codex and the
# versions of the others that were current in November 2026.
KNOWN: Mapping[str, Kept] = {
    "claude": Kept(
        variables=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"),
        files=(".claude/.credentials.json",),
        moved_by="CLAUDE_CONFIG_DIR",
        elsewhere="the keychain",
        elsewhere_on="darwin",
    ),
    "codex": Kept(
        variables=("OPENAI_API_KEY", "CODEX_API_KEY"),
        files=(".codex/auth.json",),
        moved_by="CODEX_HOME",
        elsewhere="the system's keyring",
    ),
    "gemini": Kept(
        variables=("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS"),
        files=(".gemini/oauth_creds.json",),
    ),
    "opencode": Kept(variables=_KEYS, files=(".local/share/opencode/auth.json",)),
    "copilot": Kept(
        variables=("COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN", "COPILOT_PROVIDER_API_KEY"),
        files=(".copilot/config.json",),
        elsewhere="the system's keyring",
    ),
    "llm": Kept(variables=_KEYS, files=(".config/io.datasette.llm/keys.json",), moved_by="LLM_USER_PATH"),
    "aider": Kept(variables=_KEYS, files=(".aider.conf.yml",), elsewhere="a .env file of the repository"),
    "cursor-agent": Kept(
        variables=("CURSOR_API_KEY",), files=(".config/cursor/auth.json",), elsewhere="the system's keyring"
    ),
    "goose": Kept(variables=_KEYS, files=(".config/goose/secrets.yaml",), elsewhere="the system's keyring"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a tool would find."""

    there: tuple[str, ...] = ()  # names of variables that are set, and paths of files
    not_passed: tuple[str, ...] = ()  # variables that are set here and do not reach the tool
    unreadable: tuple[str, ...] = ()
    elsewhere: str = ""
    no_home: bool = False  # its credentials could be in a file, and the tool is not told where HOME is


def look(program: str, env: Mapping[str, str], environ: Mapping[str, str], platform: str = sys.platform) -> Seen | None:
    """What the program of that name would find. `env` is what it is given, `environ` what the daemon has. None: the
    program is not known here."""
    kept = KNOWN.get(program)
    if kept is None:
        return None
    files = [file for name in kept.files if (file := _file(name, kept, env)) is not None and file.is_file()]
    readable = {file for file in files if os.access(file, os.R_OK)}
    return Seen(
        there=(*(name for name in kept.variables if env.get(name)), *(str(file) for file in files if file in readable)),
        not_passed=tuple(name for name in kept.variables if environ.get(name) and not env.get(name)),
        unreadable=tuple(str(file) for file in files if file not in readable),
        elsewhere=kept.elsewhere if kept.elsewhere_on in {"", platform} else "",
        no_home=bool(kept.files) and not env.get("HOME") and not env.get(kept.moved_by or "HOME"),
    )


def _file(name: str, kept: Kept, env: Mapping[str, str]) -> Path | None:
    if kept.moved_by and env.get(kept.moved_by):
        return Path(env[kept.moved_by]) / Path(name).name
    return Path(env["HOME"]) / name if env.get("HOME") else None
