"""One run, from the tool's start until nothing of it is left: the guard's loop."""

import os
import select
import signal
import time

from orchestrator.guard import record, start
from orchestrator.guard.control import Control
from orchestrator.guard.ending import Way, end_all
from orchestrator.guard.output import Output
from orchestrator.guard.spec import CONTROL, Spec
from orchestrator.guard.tree import Process, Table

_LONGEST = 3600.0  # seconds of one wait: more than some systems' poll can be told
_LOOK_EVERY = 0.1  # seconds between two looks at memory and processes, where they are bounded


class Supervision:
    """A run and all that its guard knows of it."""

    def __init__(self, spec: Spec, connection: int) -> None:
        self._spec = spec
        self._poll = select.poll()
        self._table = Table(spec.proc)
        self._way = Way(spec)
        self._control = Control(connection, spec.base + CONTROL, self._poll)
        self._output = Output(self._poll, spec.output)
        self._woken = _wake_on_child()
        self._poll.register(self._woken, select.POLLIN)
        self._feeding = -1
        self._unread = memoryview(spec.stdin)
        self._tool = 0
        self._said = -1  # the pipe in which the tool's start is refused
        self._refusal = b""
        self._began = self._heard = self._looked = time.monotonic()
        self._code: int | None = None
        self._milliseconds = 0

    def run(self) -> record.End:
        """Starts the tool, waits for its end or brings it about, ends all that it left. Nothing runs on after this."""
        if (refusal := start.check(self._spec) or self._start()) is not None:
            self._output.finish()
            return _not_started(refusal)
        while self._code is None and not self._way.has_given_up:
            self._turn(self._patience())
            self._judge()
        self._output.drain()
        stuck = end_all(self._members, self._turn, self._way, self._table, self._spec.leftovers)
        self._output.drain()
        self._weigh_output()
        self._output.finish()
        self._collect()
        if self._said >= 0:
            self._hear_of_start()
        if self._refusal:
            return _not_started(start.refusal(self._spec, self._refusal))
        return self._end(stuck)

    def _start(self) -> start.Refusal | None:
        opened: list[int] = []
        try:
            opened.append(self._stdin())
            opened.append(self._output.open(self._spec.out, self._spec.kept))
            opened.append(self._output.open(self._spec.err, self._spec.kept))
            self._tool, self._said = start.start(self._spec, *opened)
        except OSError as error:
            where = f": {os.fsdecode(error.filename)}" if error.filename else ""
            return start.Refusal("crashed", f"cannot prepare the tool's input and output: {error.strerror}{where}")
        finally:
            for descriptor in opened:
                os.close(descriptor)
        self._began = self._heard = self._looked = time.monotonic()
        self._way.begin(self._tool)
        self._poll.register(self._said, select.POLLIN)
        return None

    def _stdin(self) -> int:
        """What the tool reads from: a pipe that is fed as it reads, so that one that does not read blocks nobody."""
        if not self._unread:
            return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        reading, self._feeding = os.pipe()
        os.set_blocking(self._feeding, False)
        self._poll.register(self._feeding, select.POLLOUT)
        self._feed()
        return reading

    # --- what happens while it runs ---

    def _turn(self, seconds: float) -> None:
        """Waits that long at most for whatever happens, and answers it."""
        for fd, _ in self._poll.poll(int(min(seconds, _LONGEST) * 1000 + 0.999)):
            if self._output.owns(fd):
                if self._output.read(fd):
                    self._heard = time.monotonic()
                self._weigh_output()
            elif fd == self._woken:
                os.read(fd, 4096)
                self._children_changed()
            elif fd == self._feeding:
                self._feed()
            elif fd == self._said:
                self._hear_of_start()
            elif self._control.owns(fd):
                for command in self._control.read(fd):
                    self._way.obey(command)

    def _weigh_output(self) -> None:
        if self._output.is_over:
            self._way.over_limit("it wrote more output than is allowed, and was ended", "bad_output")

    def _feed(self) -> None:
        try:
            self._unread = self._unread[os.write(self._feeding, self._unread) :]
        except BlockingIOError:
            return
        except OSError:  # nobody reads it any more
            self._unread = self._unread[:0]
        if not self._unread:
            self._poll.unregister(self._feeding)
            os.close(self._feeding)
            self._feeding = -1

    def _hear_of_start(self) -> None:
        """The pipe ends once the tool runs; before that it may say why it does not."""
        while part := os.read(self._said, 64):
            self._refusal += part
        self._poll.unregister(self._said)
        os.close(self._said)
        self._said = -1

    def _children_changed(self) -> None:
        """Notes the tool's end, and collects the dead that were adopted.

        The tool itself is collected last: so long its id, by which its session is known, is nobody else's.
        """
        if self._tool and self._code is None and (code := _code_of(self._tool)) is not None:
            self._code = code
            self._milliseconds = int((time.monotonic() - self._began) * 1000)
        me = os.getpid()
        for pid in self._table.children(me):
            if pid != self._tool and (child := self._table.process(pid)) is not None and child.zombie:
                _collect(pid)

    def _judge(self) -> None:
        """What the time, the silence and its size have to say."""
        spec, now = self._spec, time.monotonic()
        self._way.note_watched(self._control.is_watched, now)
        if now - self._began >= spec.timeout:
            self._way.decide("timed_out")
        if spec.silence is not None and now - self._heard >= spec.silence:
            self._way.decide("silent")
        if self._is_measured and now - self._looked >= _LOOK_EVERY:
            self._looked = now
            self._measure()
        if self._code is None:
            self._way.press(now)

    @property
    def _is_measured(self) -> bool:
        bounded = self._spec.memory is not None or self._spec.processes is not None
        return bounded and not self._way.is_decided

    def _measure(self) -> None:
        spec = self._spec
        living = [one.pid for one in self._table.below(os.getpid()) if not one.zombie]
        if spec.processes is not None and len(living) > spec.processes:
            words = f"it ran {len(living)} processes at once where {spec.processes} are allowed, and was ended"
            self._way.over_limit(words)
        if spec.memory is not None and (used := self._table.memory(living, spec.memory)) > spec.memory:
            words = f"it used {used >> 20:,} MiB of memory where {spec.memory >> 20:,} are allowed, and was ended"
            self._way.over_limit(words)

    def _patience(self) -> float:
        """Seconds until something is to be looked at, should nothing happen before."""
        moments = self._way.moments()
        if not self._way.is_decided:
            moments.append(self._began + self._spec.timeout)
            if self._spec.silence is not None:
                moments.append(self._heard + self._spec.silence)
        if self._is_measured:
            moments.append(self._looked + _LOOK_EVERY)
        return max(0.0, min(moments, default=float("inf")) - time.monotonic())

    # --- the end ---

    def _members(self) -> list[Process]:
        """All that live of this run: whoever descends from the guard; and when it was no clean end, whoever stands in
        the tool's session or carries its marks although it hangs elsewhere, by a look at the whole machine."""
        self._children_changed()
        me = os.getpid()
        below = [one for one in self._table.below(me) if not one.zombie]
        if below:
            self._way.leaves_something = True
            return below
        if not (self._way.is_decided or self._way.leaves_something):
            return []
        return self._table.belonging(self._tool, record.marks(self._spec))

    def _collect(self) -> None:
        if not self._table.is_readable():
            _kill_group(self._tool)  # all that such a system lets us find
        _collect(self._tool)

    def _end(self, stuck: list[Process]) -> record.End:
        end = record.End(self._way.ending)
        end.exit_code = self._code
        end.milliseconds = self._milliseconds
        end.bytes = self._output.total
        end.left_out = self._output.lost
        end.failure = self._way.failure
        end.errors = list(self._way.errors)
        if stuck:
            names = ", ".join(f"{one.command} ({one.pid})" for one in stuck)
            end.errors.append(f"these processes of it could not be ended: {names}")
        return end


def _not_started(refusal: start.Refusal) -> record.End:
    end = record.End("not_started")
    end.failure = refusal.kind
    end.errors = [refusal.words]
    return end


def _wake_on_child() -> int:
    """A pipe in which a byte appears whenever a child ended."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    return reading


def _code_of(pid: int) -> int | None:
    """The exit code of an ended child (negative: that signal), which stays uncollected where the system can do that."""
    if not hasattr(os, "waitid"):  # macOS before Python 3.13
        done, status = os.waitpid(pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if done else None
    found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if found is None:
        return None
    return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status


def _collect(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return  # not ours, or collected already


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left in it
