"""How a command reaches a running daemon: a small request file, answered by a reply file beside it.

`<id>.json` is a request nobody has taken; the daemon takes it by renaming it to `<id>.taken`, so that a client that
gives up knows whether anything will happen, and no request is carried out twice. `<id>.reply.json` is the answer.
"""

import json
import os
import stat
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.core.pattern import late
from orchestrator.errors import (
    BusyError,
    ConfigRefusedError,
    InternalError,
    NoDaemonError,
    NotFoundError,
    OrchestratorError,
    TimedOutError,
    UsageError,
)

FOLDER = "requests"
VERBS = frozenset({"submit", "exec", "cancel", "retry", "freeze", "thaw", "start", "complete", "budget-adjust"})
LARGEST = 8 << 20  # bytes: a task file of 1 MiB whose every character needs an escape of six
PATIENCE = 10.0  # seconds that a client waits
_OLD = 3600.0  # seconds after which a leftover has nobody waiting for it
_NAME = late(r"([A-Za-z0-9][A-Za-z0-9-]{0,63})\.json")
_FIRST_POLL, _SLOWEST_POLL = 0.002, 0.05
_ERRORS: dict[int, type[OrchestratorError]] = {
    kind.exit_code: kind
    for kind in (
        OrchestratorError,
        UsageError,
        NoDaemonError,
        NotFoundError,
        BusyError,
        InternalError,
        ConfigRefusedError,
        TimedOutError,
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks of the daemon."""

    id: str
    verb: str
    arguments: Mapping[str, object]


# --- asking --------------------------------------------------------------------------------------------------------


def ask(
    state: Path,
    verb: str,
    arguments: Mapping[str, object],
    *,
    patience: float = PATIENCE,
    is_alive: Callable[[], bool] = lambda: True,
) -> dict[str, object]:
    """Has the running daemon carry it out, and returns its reply.

    Raises:
        OrchestratorError: what the daemon refused, as the same kind of error with its own words.
        NoDaemonError: nobody took the request within `patience` seconds, or `is_alive` says that nobody will;
            nothing will happen.
        TimedOutError: it was taken and not answered; it may still be carried out.
    """
    folder = state / FOLDER
    name = f"{time.time_ns():019d}-{os.urandom(5).hex()}"
    request, reply = folder / f"{name}.json", folder / f"{name}.reply.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(request, {"verb": verb, "arguments": dict(arguments), "until": time.time() + patience})
    except OSError as error:
        raise OrchestratorError(
            f"{folder}: the daemon cannot be asked: {error.strerror}; make room, or see who may write there"
        ) from error
    try:
        raw = _awaited(reply, patience, is_alive)
    finally:
        taken = not _remove(request)
        _remove(reply)
    if raw is not None:
        return _opened(raw)
    if taken:
        raise TimedOutError(
            f"the daemon took the request to {verb} and did not answer; it may still carry it out: "
            "look with `orchestrator status` before asking again"
        )
    raise NoDaemonError(
        "the daemon did not take the request, and nothing was changed; "
        "see what it is doing with `orchestrator status`, or stop it and ask again"
    )


def _awaited(reply: Path, patience: float, is_alive: Callable[[], bool]) -> bytes | None:
    deadline = time.monotonic() + patience
    pause, alive = _FIRST_POLL, True
    while True:
        with suppress(FileNotFoundError):
            return reply.read_bytes()
        if not alive or time.monotonic() > deadline:
            return None
        time.sleep(pause)  # the answer is a file, and a watcher takes longer to start than most answers
        pause = min(pause * 1.5, _SLOWEST_POLL)
        if pause == _SLOWEST_POLL:
            alive = is_alive()  # once more through the loop: it may have answered just before it ended


def _opened(raw: bytes) -> dict[str, object]:
    try:
        answer: dict[str, Any] = json.loads(raw)
        if "reply" in answer:
            return dict(answer["reply"])
        code, message = int(answer["error"]["exit_code"]), str(answer["error"]["message"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InternalError("the daemon's answer cannot be read; is it of another version? restart it") from error
    raise _ERRORS.get(code, OrchestratorError)(message)


# --- answering -----------------------------------------------------------------------------------------------------


class RequestBox:
    """The daemon's side."""

    def __init__(self, state: Path, *, verbs: Collection[str] = VERBS, now: Callable[[], float] = time.time) -> None:
        self._folder = state / FOLDER
        self._verbs = verbs
        self._now = now
        self._folder.mkdir(parents=True, exist_ok=True)

    @property
    def folder(self) -> Path:
        """Where requests arrive: to be watched. Anything that changes in it is worth a look."""
        return self._folder

    def pending(self) -> list[Request]:
        """The requests that came, oldest first, each taken and so returned once.

        What is no request is answered with an error here, or dropped where nobody waits for an answer any more.
        """
        found = []
        for name in sorted(os.listdir(self._folder)):
            match = _NAME.fullmatch(name)
            if match and (request := self._taken(match[1])) is not None:
                found.append(request)
        return found

    def answer(self, request: Request, reply: Mapping[str, object] | OrchestratorError) -> None:
        """Tells the client. Raises OSError where the disk refuses; the client then times out."""
        self._answer(request.id, reply)

    def sweep(self) -> int:
        """Removes what dead clients and dead daemons left more than an hour ago; how many."""
        return sum(_remove(path) for path in self._leftovers())

    def _leftovers(self) -> Iterator[Path]:
        for name in os.listdir(self._folder):
            path = self._folder / name
            with suppress(OSError):
                if name != ".nudge" and self._now() - path.lstat().st_mtime > _OLD:
                    yield path

    def _taken(self, request_id: str) -> Request | None:
        mine = self._folder / f"{request_id}.taken"
        try:
            (self._folder / f"{request_id}.json").rename(mine)
            request, until = self._parsed(request_id, _bounded(mine))
        except FileNotFoundError:
            return None  # the client gave up just now
        except UsageError as refusal:
            with suppress(OSError):  # on a full disk nobody can be told; the client times out
                self._answer(request_id, refusal)
            return None
        if until < self._now():
            _remove(mine)  # its client has given up: what it wanted then, nobody may want now
            return None
        return request

    def _parsed(self, request_id: str, raw: bytes) -> tuple[Request, float]:
        try:
            said = json.loads(raw)
            verb, arguments, until = said["verb"], said["arguments"], float(said.get("until") or "inf")
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise UsageError("the request is not JSON with a verb and arguments") from error
        if not isinstance(verb, str) or verb not in self._verbs:
            known = ", ".join(sorted(self._verbs))
            raise UsageError(f"the daemon knows no verb {str(verb)[:40]!r}; it knows {known}")
        if not isinstance(arguments, dict):
            raise UsageError("the arguments of a request are a JSON object")
        return Request(id=request_id, verb=verb, arguments=arguments), until

    def _answer(self, request_id: str, reply: Mapping[str, object] | OrchestratorError) -> None:
        content: dict[str, object]
        if isinstance(reply, OrchestratorError):
            content = {"error": {"exit_code": reply.exit_code, "message": str(reply)}}
        else:
            content = {"reply": dict(reply)}
        _write(self._folder / f"{request_id}.reply.json", content)
        _remove(self._folder / f"{request_id}.taken")


def _bounded(path: Path) -> bytes:
    """The file's bytes. Raises UsageError where it is no plain file of a decent size, FileNotFoundError."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UsageError(f"the request cannot be read: {error.strerror}") from error
    with os.fdopen(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise UsageError(f"a request is a plain file of at most {LARGEST} bytes")
        return file.read(LARGEST)


def _write(path: Path, content: Mapping[str, object]) -> None:
    """Whole or not at all. Not synced: after a crash of the machine nobody waits for it."""
    beside = path.with_name(f".{path.name}.tmp")
    try:
        beside.write_text(json.dumps(content), encoding="ascii")
        beside.rename(path)
    except OSError:
        _remove(beside)
        raise


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True
