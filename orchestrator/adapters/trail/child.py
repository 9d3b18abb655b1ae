"""One running `git fast-import`: fed, asked, ended. It may die at any time: that is normal, and said by `DiedError`."""

import os
import select
import subprocess
import time
from collections.abc import Iterable
from contextlib import suppress

from orchestrator.adapters.git import Git
from orchestrator.adapters.trail.stream import MARK
from orchestrator.errors import OrchestratorError

_PATIENCE = 60.0  # seconds without any progress, after which a child counts as hung
_PIECE = 1 << 20


class DiedError(OrchestratorError):
    """The child ended, or hangs; the message is its last words."""


class FastImport:
    """A child that writes commits. Used by one thread at a time."""

    def __init__(self, git: Git, *, options: tuple[str, ...]) -> None:
        """Starts it in the repository of `git`.

        Raises:
            DiedError: git cannot be started.
        """
        answers, answer_end = os.pipe()
        self._answers = answers
        try:
            self._process = subprocess.Popen(
                # --done: a stream that just ends (we were killed in the middle of a commit) is thrown away whole.
                git.command(*options, "fast-import", "--quiet", "--done", "--date-format=raw",
                            f"--cat-blob-fd={answer_end}"),
                cwd=git.folder,
                env=git.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                bufsize=0,
                pass_fds=(answer_end,),
                start_new_session=True,  # Ctrl-C in a terminal is for the daemon to answer, not for its child
            )  # fmt: skip
        except OSError as error:
            os.close(answers)
            raise DiedError(f"git fast-import cannot be started: {error.strerror or error}") from error
        finally:
            os.close(answer_end)
        assert self._process.stdin is not None
        assert self._process.stderr is not None
        self._input = self._process.stdin
        self._stderr = self._process.stderr
        os.set_blocking(self._input.fileno(), False)
        os.set_blocking(self._stderr.fileno(), False)
        self._words = b""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def send(self, pieces: Iterable[bytes]) -> None:
        """Writes commands. Raises DiedError where nobody reads them."""
        whole = memoryview(b"".join(pieces))
        deadline = time.monotonic() + _PATIENCE
        while whole:
            try:
                written = os.write(self._input.fileno(), whole[:_PIECE])
            except BlockingIOError:
                self._await(self._input.fileno(), select.POLLOUT, deadline)
                continue
            except OSError as error:
                raise self._dead("it takes no more commands") from error
            whole = whole[written:]
            deadline = time.monotonic() + _PATIENCE

    def land(self) -> str:
        """Finishes the pack, moves the branch, and answers which commit it wrote last.

        That is no proof that the branch moved: it answers the same where the branch was refused. Raises DiedError.
        """
        self.send([b"checkpoint\nget-mark " + MARK + b"\n"])
        answer = b""
        deadline = time.monotonic() + _PATIENCE
        while not answer.endswith(b"\n"):
            self._await(self._answers, select.POLLIN, deadline)
            piece = os.read(self._answers, 4096)
            if not piece:
                raise self._dead("it ended before it answered")
            answer += piece
        return answer.decode().strip()

    def words(self) -> str:
        """What it said on standard error so far."""
        with suppress(BlockingIOError, ValueError):
            while piece := os.read(self._stderr.fileno(), 65536):
                self._words = (self._words + piece)[-8192:]
        return self._words.decode(errors="replace").strip()

    def finish(self) -> None:
        """Lets it finish, without waiting for it; it takes no more commands. `end` follows."""
        if self._input.closed:
            return
        with suppress(DiedError):
            self.send([b"done\n"])
        with suppress(OSError):
            self._input.close()

    @property
    def is_finishing(self) -> bool:
        """Whether it was told to finish."""
        return self._input.closed

    def end(self) -> None:
        """Lets it finish and waits for it; ended by force where it does not."""
        self.finish()
        self._close(grace=10)

    def kill(self) -> None:
        """Ends it at once. What was not landed is not on the branch."""
        self._process.kill()
        self._close(grace=10)

    def _await(self, descriptor: int, what: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, what)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            self._process.kill()
            raise self._dead(f"no progress for {_PATIENCE:.0f} s")

    def _dead(self, otherwise: str) -> DiedError:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(1)  # its last words come before its end
        lines = [line for line in self.words().splitlines() if line and not line.startswith("fast-import: dumping")]
        return DiedError("; ".join(lines[-3:]) or otherwise)

    def _close(self, grace: float) -> None:
        with suppress(OSError):
            self._input.close()
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.words()
        self._stderr.close()
        if self._answers >= 0:
            os.close(self._answers)
            self._answers = -1
