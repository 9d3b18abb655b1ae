"""Whatever the events and however they reached the index: it holds what a rebuild would."""

from typing import Any

import pytest
from histories import Workspace, holds
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters.index_rebuild import rebuild
from orchestrator.core.events import EventKind

TEXT = st.one_of(st.sampled_from(["", "dev", "ops"]), st.text(max_size=6))
NUMBERS = st.one_of(st.integers(-3, 5), st.sampled_from([10**25, -(10**25)]))
DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "title": TEXT,
        "priority": st.sampled_from(["high", "none", ""]),
        "verdict": TEXT,
        "cost_microusd": st.one_of(NUMBERS, st.none(), st.just("dear")),
        "tokens": st.one_of(st.just([]), st.dictionaries(st.sampled_from(["input", "output", "x"]), NUMBERS)),
        "origin_path": TEXT,
        "origin_blob": TEXT,
    },
)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "agent": TEXT,
        "path": TEXT,
        "why": TEXT,
        "tool": TEXT,
        "run_id": TEXT,
        "error_kind": TEXT,
        "invocation_id": st.sampled_from(["", "i1", "i2", "\udcff"]),
        "attempt": NUMBERS,
        "exit_code": NUMBERS,
        "duration_ms": NUMBERS,
        "details": DETAILS,
    },
)
TOLD = st.tuples(st.sampled_from("abc"), st.sampled_from([*EventKind, "later"]), FIELDS)
HOW = st.sampled_from(["applied", "applied", "applied", "by another hand", "caught up", "reopened", "torn"])


@settings(max_examples=40)
@given(st.lists(st.tuples(TOLD, HOW), max_size=14))
def test_a_live_index_holds_what_a_rebuild_would(
    tmp_path_factory: pytest.TempPathFactory, history: list[tuple[tuple[str, str, dict[str, Any]], str]]
) -> None:
    space = Workspace(tmp_path_factory.mktemp("law")).rebuilt()
    _ = space.index
    for (task_id, kind, fields), how in history:
        event = space.event(task_id, kind, **fields)
        match how:
            case "by another hand":
                index, space._index = space._index, None
                space.append(task_id, event)
                space._index = index
            case "torn":
                path = space.append(task_id, event)
                path.write_bytes(path.read_bytes() + b'{"v":1,"event_id"')
            case _:
                space.append(task_id, event)
        if how == "caught up":
            space.index.catch_up()
        if how == "reopened":
            space.close()
            _ = space.index
    space.index.catch_up()
    live = holds(space.state)
    assert space.index.catch_up().files_read == 0
    space.close()
    rebuild(space.state, space.work)
    assert holds(space.state) == live
