"""Watches a task of `exec` that the daemon works on, and finds which earlier answer a context is."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from orchestrator import executing
from orchestrator.adapters import lock, readers, requests
from orchestrator.adapters.index_reader import IndexReader
from orchestrator.adapters.place import Place
from orchestrator.core import resume
from orchestrator.core.events import Event
from orchestrator.core.history import IndexUnusable
from orchestrator.core.types import ErrorKind, InvocationId, TaskId
from orchestrator.core.verdict import Ending, Ran
from orchestrator.errors import OrchestratorError
from orchestrator.executing import Executed
from orchestrator.wiring.configuring import read_settings
from orchestrator.wiring.watching import LOOK_EVERY, SIGNALS, LiveText, Onlooker, Stop, has_left, live_of, show_rest

_DAEMON_AWAY = 5.0  # seconds that a daemon may be away, being started again, before we stop waiting for it


class ByDaemon:
    """A task that the daemon is asked to work on, watched from outside."""

    def __init__(self, place: Place, onlooker: Onlooker, stop: Stop) -> None:
        self._place = place
        self._task_id = TaskId("")  # until the daemon took it
        self._onlooker = onlooker
        self._stop = stop
        self._settings = read_settings(place)
        self._live: LiveText | None = None
        self._shown = ""
        self._gone_since = 0.0

    def run(self, arguments: Mapping[str, object], is_alive: Callable[[], bool]) -> Executed:
        """Has it done, and waits for its end.

        Raises:
            NoDaemonError: the daemon did not take it, and nothing was done.
            OrchestratorError: it refused; or it ended meanwhile, and the next one goes on with it.
        """
        with self._cancelling():
            reply = requests.ask(self._place.state, "exec", dict(arguments), is_alive=is_alive)
            self._task_id = TaskId(str(reply["id"]))
            self._onlooker.begun(reply)
            if self._stop.presses:
                self._cancel()
            events = self._until_over()
        if not self._stop.reader_left:
            show_rest(self._live, events, self._place.state, self._settings, self._onlooker)
        ran = self._ran(events)
        return executing.executed(self._task_id, events, ran, self._place.state)

    def _until_over(self) -> list[Event]:
        while True:
            events = self._events()
            closed = executing.closed_in(events)
            if closed is not None and (self._place.work / closed.path).exists():
                return events
            self._look(events)
            self._mind_the_daemon()
            time.sleep(LOOK_EVERY)  # the event file is the one thing that tells, and nothing else wakes us

    def _events(self) -> list[Event]:
        try:
            reader = IndexReader(self._place.state, self._place.work)
        except IndexUnusable:
            return []  # it is being rebuilt
        try:
            return reader.events(self._task_id)
        except IndexUnusable:
            return []
        finally:
            reader.close()

    def _look(self, events: list[Event]) -> None:
        if self._stop.reader_left:
            return
        started = executing.started_in(events)
        if self._onlooker.wants_live and started is not None and started.invocation_id != self._shown:
            self._shown = started.invocation_id
            self._live = live_of(self._place.state, started, self._settings, self._onlooker)
        if has_left(self._live, self._onlooker):
            self._stop.reader_left = True
            self._cancel()

    def _mind_the_daemon(self) -> None:
        holder = lock.holder(self._place.state)
        if holder is not None and holder.what == "daemon":  # a command that holds it does not go on with our task
            self._gone_since = 0.0
            return
        self._gone_since = self._gone_since or time.monotonic()
        if time.monotonic() - self._gone_since > _DAEMON_AWAY:
            raise OrchestratorError(
                f"{self._task_id}: the daemon ended while it was under way, and the next one goes on with it: "
                f"start one with `orchestrator daemon`, then see: orchestrator show {self._task_id}"
            )

    def _ran(self, events: list[Event]) -> Ran | None:
        started = executing.started_in(events)
        finished = started and resume.finish_of(events, started.invocation_id)
        tool = self._settings.tools.get(started.tool) if started else None
        if started is None or not finished or tool is None:
            return None
        ending = Ending(finished.reason) if finished.reason in set(Ending) else Ending.EXITED
        kind = ErrorKind(finished.error_kind) if finished.error_kind in set(ErrorKind) else None
        ran = Ran(ending=ending, exit_code=finished.exit_code, duration_ms=finished.duration_ms, failure=kind)
        printed = executing.output_of(self._place.state, self._task_id, InvocationId(started.invocation_id))
        return readers.read_output(tool, ran, printed, None)

    @contextlib.contextmanager
    def _cancelling(self) -> Iterator[None]:
        def on_signal(number: int, _frame: object) -> None:
            self._stop.number = self._stop.number or number
            self._stop.presses += 1
            self._onlooker.cancelling(self._stop.presses)
            if self._task_id:
                self._cancel()

        ours = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, on_signal) for number in ours}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _cancel(self) -> None:
        """Asks beside the watching: the answer comes when the task is put away, after the tool's graces."""
        asked = {"id": self._task_id, "reason": self._stop.why}
        threading.Thread(target=self._ask_to_cancel, args=(asked,), daemon=True).start()

    def _ask_to_cancel(self, asked: Mapping[str, object]) -> None:
        with contextlib.suppress(OrchestratorError):  # it ended just before; what came of it is told all the same
            requests.ask(self._place.state, "cancel", asked)


_LOOK_BACK = 64  # tasks that finished last


def answered_by(place: Place, digests: Mapping[str, str]) -> list[dict[str, str]]:
    """Which of the newest tasks gave these answers: {task, invocation, source}. `digests` maps a digest to a name."""
    if not digests:
        return []
    found: list[dict[str, str]] = []
    left = dict(digests)
    try:
        reader = IndexReader(place.state, place.work)
    except IndexUnusable:
        return []  # nothing is known of earlier ones: a link that cannot be made is no reason to refuse
    try:
        for state in reader.finished(_LOOK_BACK):
            closed = executing.closed_in(reader.events(state.id))
            digest = str(closed.details.get("answer_sha256") or "") if closed is not None else ""
            if closed is not None and digest in left:
                found.append({"task": state.id, "invocation": closed.invocation_id, "source": left.pop(digest)})
            if not left:
                break
    except (IndexUnusable, OSError):
        return found
    finally:
        reader.close()
    return found
