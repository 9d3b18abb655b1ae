"""One host a task: a claim is a ref on the shared remote that only one push can make (GIT-FACTS section 3).

A task that comes from a shared branch is claimed before anything else is written about it: a host that has its event
file on its own branch counts as having done it.
"""

import os
import re
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from orchestrator.adapters.remote import Pushed, Remote
from orchestrator.core.pattern import late
from orchestrator.core.types import TaskId
from orchestrator.errors import OrchestratorError

CLAIMS = "refs/orchestrator/claims/"
_ID = late(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_AT_ONCE = 20  # refs a push: the best of what was measured


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Who has which task now. Every id that was asked for is in exactly one of the three."""

    won: frozenset[TaskId] = frozenset()
    lost: Mapping[TaskId, str] = field(default_factory=dict)  # to which host
    failed: Mapping[TaskId, str] = field(default_factory=dict)  # why it is not known; ask again


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """Whose claims are gone from the remote."""

    released: frozenset[TaskId] = frozenset()
    failed: Mapping[TaskId, str] = field(default_factory=dict)


class Claims:
    """Claims of one host on one remote. Plain blocking code for one thread.

    Our own claims are noted as refs of the same name in this repository, before they are pushed: an answer that the
    network lost, and a restart, are no loss.
    """

    def __init__(self, remote: Remote, *, host: str, others: Callable[[], Mapping[str, str]]) -> None:
        """`others()` fetches: the other hosts with the commits of their work branches (`Sync.others`)."""
        self._remote = remote
        self._git = remote.git
        self._host = host
        self._others = others

    def claim(self, ids: Collection[TaskId]) -> Claimed:
        """Tries to get each of these; none of it raises for what a network or a remote does."""
        failed = {task_id: "it is no task id" for task_id in ids if not _ID.fullmatch(task_id)}
        wanted = [task_id for task_id in dict.fromkeys(ids) if task_id not in failed]
        won: set[TaskId] = set()
        lost: dict[TaskId, str] = {}
        try:
            self._remote.check()
            ours = self._noted(wanted)
            for portion in _portions(wanted):
                there, unknown = self._push(portion, ours)
                failed |= unknown
                taken = {task_id for task_id in portion if there.get(task_id) == ours[task_id]}
                won |= taken
                lost |= self._holders({each: there[each] for each in portion if each in there and each not in taken})
            self._forget(lost)
            if won:
                elsewhere = self._done_elsewhere(won)
                won -= elsewhere.keys()
                lost |= elsewhere
                self._withdraw({each: ours[each] for each in elsewhere})
        except OrchestratorError as error:
            failed |= {each: str(error) for each in wanted if each not in lost}
            won.clear()  # what is ours on the remote stays ours, and is found so when it is asked for again
        return Claimed(won=frozenset(won), lost=lost, failed=failed)

    def release(self, ids: Collection[TaskId]) -> Released:
        """Gives claims back, once this host's branch with the finished tasks has been pushed."""
        asked = [task_id for task_id in dict.fromkeys(ids) if _ID.fullmatch(task_id)]
        failed: dict[TaskId, str] = {each: "it is no task id" for each in ids if not _ID.fullmatch(each)}
        try:
            ours = self._ours(asked)
            failed |= self._withdraw(ours)
        except OrchestratorError as error:
            failed |= dict.fromkeys(asked, str(error))
        return Released(released=frozenset(asked) - failed.keys(), failed=failed)

    def held(self) -> frozenset[TaskId]:
        """The tasks that this host claimed and has not released, as noted here."""
        names = self._git.text("for-each-ref", "--format=%(refname)", "--", CLAIMS).splitlines()
        return frozenset(TaskId(name.removeprefix(CLAIMS).replace("%2E", ".")) for name in names)

    # --- what is pushed ----------------------------------------------------------------------------------------

    def _noted(self, ids: Sequence[TaskId]) -> dict[TaskId, str]:
        """The commit that each claim is; noted here before anybody else hears of it."""
        ours = self._ours(ids)
        new = [task_id for task_id in ids if task_id not in ours]
        if new:
            commit = self._claim_commit()
            lines = "".join(f"create {_ref(task_id)} {commit}\n" for task_id in new)
            self._git.raw("update-ref", "--stdin", stdin=lines.encode())
            ours |= dict.fromkeys(new, commit)
        return ours

    def _ours(self, ids: Sequence[TaskId]) -> dict[TaskId, str]:
        said = self._git.text("for-each-ref", "--format=%(refname) %(objectname)", "--", CLAIMS)
        noted = {ref: value for ref, _, value in (line.partition(" ") for line in said.splitlines())}
        return {task_id: noted[_ref(task_id)] for task_id in ids if _ref(task_id) in noted}

    def _claim_commit(self) -> str:
        """One for all claims of a call: it says who, and differs from everybody else's by its nonce."""
        now = datetime.now(UTC)
        who = f"{self._host} <orchestrator@{self._host}> {int(now.timestamp())} +0000"
        tree = self._git.text("hash-object", "-w", "-t", "tree", "--stdin", stdin=b"")
        text = (
            f"tree {tree}\nauthor {who}\ncommitter {who}\n\nclaim by {self._host}\n\nHost: {self._host}\n"
            f"Pid: {os.getpid()}\nNonce: {secrets.token_hex(16)}\nTime: {now.isoformat()}\n"
        )
        return self._git.text("hash-object", "-w", "-t", "commit", "--stdin", stdin=text.encode())

    def _push(self, ids: Sequence[TaskId], ours: Mapping[TaskId, str]) -> tuple[dict[TaskId, str], dict[TaskId, str]]:
        """What the remote has for each id afterwards; and, for those of which that is not known, why."""
        refs = {task_id: _ref(task_id) for task_id in ids}
        pushed = self._remote.push(
            [f"{ours[each]}:{ref}" for each, ref in refs.items()], *(f"{ref}:" for ref in refs.values())
        )
        there = {each: ours[each] for each, ref in refs.items() if ref in pushed.refs and pushed.refs[ref].is_there}
        open_ = [each for each in ids if each not in there]
        if not open_:
            return there, {}
        # Refused because somebody was first, refused by a rule, or the answer was lost: the remote knows.
        try:
            found = self._remote.refs([refs[each] for each in open_])
        except OrchestratorError as error:
            return there, dict.fromkeys(open_, pushed.trouble or str(error))
        there |= {each: found[refs[each]] for each in open_ if refs[each] in found}
        return there, {each: _why(pushed, refs[each]) for each in open_ if each not in there}

    def _withdraw(self, claims: Mapping[TaskId, str]) -> dict[TaskId, str]:
        """Takes our claims off the remote, never anybody else's; what could not be taken off, and why."""
        failed: dict[TaskId, str] = {}
        gone: list[TaskId] = []
        for portion in _portions(list(claims)):
            leases = [f"{_ref(each)}:{claims[each]}" for each in portion]
            pushed = self._remote.push([f":{_ref(each)}" for each in portion], *leases)
            gone_now = {each for each in portion if (r := pushed.refs.get(_ref(each))) is not None and r.is_there}
            if left := [each for each in portion if each not in gone_now]:
                there = self._remote.refs([_ref(each) for each in left])
                still = {each for each in left if there.get(_ref(each)) == claims[each]}
                failed |= {each: _why(pushed, _ref(each)) for each in still}
                gone_now |= set(left) - still  # gone already, or another host's by now: not ours any more
            gone += gone_now
        self._forget(gone)
        return failed

    def _forget(self, ids: Collection[TaskId]) -> None:
        if ids:
            lines = "".join(f"delete {_ref(task_id)}\n" for task_id in ids)
            self._git.raw("update-ref", "--stdin", stdin=lines.encode())

    # --- who has it --------------------------------------------------------------------------------------------

    def _holders(self, there: Mapping[TaskId, str]) -> dict[TaskId, str]:
        """The hosts whose claims these commits are, by their own words."""
        if not there:
            return {}
        hosts: dict[str, str] = {}
        with suppress(OrchestratorError):  # released in this very moment: whose it was does not matter any more
            self._remote.fetch([_ref(task_id) for task_id in there])
        for commit in set(there.values()):
            said = self._git.call("cat-file", "commit", commit).stdout.decode(errors="replace")
            found = re.search(r"^Host: ([A-Za-z0-9_-]{1,63})$", said, re.MULTILINE)
            hosts[commit] = found[1] if found else "another host"
        return {task_id: hosts[commit] for task_id, commit in there.items()}

    def _done_elsewhere(self, ids: Collection[TaskId]) -> dict[TaskId, str]:
        """Those whose event file is on another host's branch: claimed, finished and released before we came."""
        names = {f"{task_id}.jsonl".encode(): task_id for task_id in ids}
        found: dict[TaskId, str] = {}
        for host, commit in self._others().items():
            raw = self._git.raw("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit, "--", "telemetry/")
            for path in raw.split(b"\0"):
                if (task_id := names.get(path.rpartition(b"/")[2])) is not None:
                    found.setdefault(task_id, host)
        return found


def _ref(task_id: TaskId) -> str:
    """The claim's ref. Ids that git would not have as a ref are written with %2E for their dots, which no id holds."""
    if ".." in task_id or task_id.endswith((".", ".lock")):
        return CLAIMS + task_id.replace(".", "%2E")
    return CLAIMS + task_id


def _portions(ids: Sequence[TaskId]) -> Iterator[Sequence[TaskId]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]


def _why(pushed: Pushed, ref: str) -> str:
    result = pushed.refs.get(ref)
    return pushed.trouble or (result.why if result else "") or "the remote did not say"
