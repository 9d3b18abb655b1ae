"""Where the answer of `exec` goes: a file, whole or not at all, or an envelope."""

import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli.screen import plain
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.cli.call import Call
    from orchestrator.wiring import Executed


class Target:
    """The file of --output."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.written = False

    def check(self) -> None:
        """Before anything runs. Raises UsageError where it could not be written."""
        folder = Path(self.path).parent
        if not self.path or Path(self.path).is_dir():
            raise UsageError(f"--output: {self.path!r} is a folder; name a file in it")
        if not folder.is_dir():
            raise UsageError(f"--output: there is no folder {folder}; make it first: mkdir -p {folder}")
        target = Path(os.path.realpath(self.path))
        if not os.access(target if _is_odd(target) else target.parent, os.W_OK):
            raise UsageError(f"--output: {self.path} may not be written; name another file, or see who may write there")

    def write(self, call: "Call", text: str, done: "Executed") -> int:
        """0, or 1 where it cannot be written: then it is said where the answer lies."""
        content = (text if not text or text.endswith("\n") else text + "\n").encode("utf-8", "surrogateescape")
        target = Path(os.path.realpath(self.path))
        beside = target.with_name(f".{target.name[:200]}.{os.getpid()}.tmp")
        try:
            if _is_odd(target):
                target.write_bytes(content)
            else:
                _replace(target, beside, content)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()
            lies = [f"work/{done.log}"] if done.log else []
            lies += [done.printed.stdout] if done.printed is not None else []
            said = f"--output: {self.path}: {error.strerror}; the task is done, and its answer lies in"
            call.err.line(f"orchestrator: {plain(said)} {plain(' and '.join(lies))}")
            return 1
        self.written = True
        return 0


def _is_odd(path: Path) -> bool:
    """A device or a pipe: written into, not replaced."""
    return path.exists() and not path.is_file()


def _replace(target: Path, beside: Path, content: bytes) -> None:
    mode = target.stat().st_mode & 0o777 if target.exists() else None
    with beside.open("xb") as file:
        file.write(content)
        file.flush()
        if mode is not None:
            os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    beside.replace(target)


def envelope(done: "Executed", *, exit_code: int, output: str) -> dict[str, object]:
    """What --json prints."""
    ran = done.ran
    data: dict[str, object] = {
        "id": done.task_id,
        "status": str(done.status),
        "verdict": done.verdict,
        "why": done.why,
        "exit_code": exit_code,
        "text": ran.text if ran is not None else "",
        "tool": done.tool,
        "model": done.model,
        "reason": done.reason,
        "tokens": asdict(ran.tokens) if ran is not None and ran.tokens is not None else None,
        "cost_microusd": ran.cost if ran is not None else None,
        "cost_source": str(ran.cost_source) if ran is not None and ran.cost_source is not None else None,
        "session_id": (ran.session_id or None) if ran is not None else None,
        "denials": list(ran.denials) if ran is not None else [],
        "duration_ms": ran.duration_ms if ran is not None else 0,
        "tool_exit_code": ran.exit_code if ran is not None else None,
        "truncated": ran.truncated if ran is not None else False,
        "branch": done.branch or None,
    }
    printed = done.printed
    paths = {"task": done.path, "log": done.log, "output": output}
    paths |= {"stdout": printed.stdout, "stderr": printed.stderr} if printed is not None else {}
    return data | {"paths": paths, "warning": done.warning or None}
