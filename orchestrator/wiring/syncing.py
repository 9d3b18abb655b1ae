"""Work branches between machines: push ours, fetch everybody's, and let go of the claims on what is finished."""

import os

from orchestrator.adapters.claims import Claims
from orchestrator.adapters.git import Git
from orchestrator.adapters.index_reader import IndexReader
from orchestrator.adapters.place import Place
from orchestrator.adapters.sync import Sync, host_name
from orchestrator.core.history import IndexUnusable
from orchestrator.core.settings import TrailMode, TrailSettings
from orchestrator.core.types import Status, TaskId
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.wiring.configuring import read_settings

_OVER = {Status.DONE, Status.ERROR, Status.CANCELLED}


def sync(place: Place) -> dict[str, object]:
    """What was pushed, which hosts are there, which claims were let go, and what did not work.

    Raises:
        UsageError: no remote is configured, or this workspace has no branch of its own.
        OrchestratorError: neither push nor fetch worked; the message says why.
    """
    settings = read_settings(place).trail
    if place.git_dir is None or settings.mode is not TrailMode.OWN:
        raise UsageError("sync is for `trail: {mode: own}`; a tracked trail is pushed with the branch that it is on")
    if not settings.remote:
        raise UsageError("no remote to sync with: set `remote: origin` below `trail:` in config/policies.yaml")
    syncing = Sync(Git(place.root), place, settings, host_name(os.environ))
    report = syncing.sync()
    released: list[str] = []
    why = list(report.why)
    if report.pushed:
        claims = open_claims(place, settings)
        let_go = claims.release(_finished(place, claims))
        released = sorted(let_go.released)
        why += [f"{task_id}: {reason}" for task_id, reason in let_go.failed.items()]
    elif why:
        raise OrchestratorError("; ".join(why))
    return {
        "host": report.host,
        "remote": report.remote,
        "pushed": report.pushed,
        "hosts": [{"host": branch.host, "ref": branch.ref, "tip": branch.tip} for branch in report.hosts],
        "released": released,
        "why": why,
    }


def open_claims(place: Place, settings: TrailSettings) -> Claims:
    """The claims of this host on the shared remote."""
    syncing = Sync(Git(place.root), place, settings, host_name(os.environ))
    return Claims(syncing.remote, host=syncing.host, others=syncing.others)


def _finished(place: Place, claims: Claims) -> list[TaskId]:
    """Those of our claims whose tasks are over: their events are on the branch that was just pushed."""
    try:
        reader = IndexReader(place.state, place.work)
    except IndexUnusable:
        return []
    try:
        states = [reader.task(task_id) for task_id in claims.held()]
        return [state.id for state in states if state is not None and state.status in _OVER]
    finally:
        reader.close()
