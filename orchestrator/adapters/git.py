"""The one place that runs git: an argument tuple, no shell, no stdin unless given, a scrubbed environment."""

import os
import signal
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.errors import OrchestratorError

# The events that our calls can cause. Hooks that git's configuration names (2.54) do not go by core.hooksPath.
_EVENTS = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg",
    "commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "post-rewrite", "pre-push",
    "reference-transaction", "pre-auto-gc", "post-index-change",
)  # fmt: skip
# What every call is given: nothing of the person's set-up may start a program, page, prompt, sign or collect garbage
# on our behalf (SECURITY-FACTS 3.1).
_HARDENED = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
    "-c", "commit.gpgSign=false",
    "-c", "core.pager=cat",
    "-c", "advice.detachedHead=false",
    "-c", "core.quotePath=true",
    *(word for event in _EVENTS for word in ("-c", f"hook.{event}.enabled=false")),
)  # fmt: skip


class GitError(OrchestratorError):
    """Git answered with an error; the message carries its own words."""

    def __init__(self, args: Iterable[str], code: int, stderr: str) -> None:
        self.code = code
        self.stderr = stderr.strip()
        words = " ".join(argument for argument in args)
        super().__init__(f"git {words[:300]}: exit {code}: {self.stderr or 'it said nothing'}")


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without any GIT_* name (a hook exports GIT_DIR and GIT_INDEX_FILE), never prompting."""
    # GIT_CONFIG_GLOBAL and _SYSTEM say where the person's own configuration is, not which repository is meant.
    kept = {"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO"}
    kept |= {f"GIT_{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    clean = {name: value for name, value in environ.items() if not name.startswith("GIT_") or name in kept}
    clean |= {"GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
    return clean


@dataclass(frozen=True, slots=True)
class Git:
    """Git in one folder (a work tree, a bare repository, or anything below).

    `env` is added to the scrubbed environment, e.g. an own GIT_INDEX_FILE.
    """

    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def command(self, *args: str) -> tuple[str, ...]:
        """The whole argument tuple, for a caller that keeps a child of its own."""
        return ("git", *_HARDENED, *args)

    def environment(self) -> dict[str, str]:
        """What such a child is given."""
        return scrubbed(os.environ) | dict(self.env)

    def call(
        self, *args: str, stdin: bytes | None = None, seconds: float = 120
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run it and return how it ended, whatever its exit code.

        Raises:
            GitError: git is not installed, or it took longer than `seconds`.
        """
        try:
            return self._run(args, stdin or b"", seconds)
        except FileNotFoundError as error:
            what = "git is not installed, or not on PATH" if self.folder.is_dir() else f"no folder {self.folder}"
            raise GitError(args, 127, what) from error
        except subprocess.TimeoutExpired as error:
            raise GitError(args, 124, f"no answer after {seconds:.0f} s") from error

    def _run(self, args: tuple[str, ...], stdin: bytes, seconds: float) -> "subprocess.CompletedProcess[bytes]":
        command = self.command(*args)
        process = subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.PIPE,  # an empty pipe: nothing is ever inherited
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # what git starts (ssh, a credential helper) is found by it, and has no terminal
        )
        try:
            out, err = process.communicate(stdin, timeout=seconds)
        except BaseException:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def together(self, *calls: tuple[str, ...], seconds: float = 120) -> "list[subprocess.CompletedProcess[bytes]]":
        """Runs several that only read, at the same time: each takes some milliseconds, most of them to start.

        Raises:
            GitError: git is not installed, or one took longer than `seconds`.
        """
        if not calls:
            return []
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(len(calls)) as pool:
            return list(pool.map(lambda args: self.call(*args, seconds=seconds), calls))

    def raw(self, *args: str, stdin: bytes | None = None, seconds: float = 120) -> bytes:
        """Standard output. Raises GitError where the exit code is not 0."""
        ended = self.call(*args, stdin=stdin, seconds=seconds)
        if ended.returncode:
            raise GitError(args, ended.returncode, ended.stderr.decode(errors="replace"))
        return ended.stdout

    def text(self, *args: str, stdin: bytes | None = None, seconds: float = 120) -> str:
        """Standard output as text, without the newline at its end."""
        return self.raw(*args, stdin=stdin, seconds=seconds).decode(errors="replace").rstrip("\n")

    def zlist(self, *args: str, stdin: bytes | None = None, seconds: float = 120) -> list[str]:
        """The items of a -z output. Names that are no UTF-8 survive by surrogate escape."""
        raw = self.raw(*args, stdin=stdin, seconds=seconds)
        return [os.fsdecode(item) for item in raw.split(b"\0") if item]

    def succeeds(self, *args: str) -> bool:
        """Whether the exit code is 0."""
        return self.call(*args).returncode == 0

    def tip(self, ref: str) -> str:
        """The commit that a full ref name or expression names, or '' where there is none."""
        ended = self.call("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        return ended.stdout.decode().strip() if ended.returncode == 0 else ""
