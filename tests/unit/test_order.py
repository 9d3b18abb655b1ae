"""The order of work, and circles among dependencies."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.order import cycles, rank
from orchestrator.core.task import Task
from orchestrator.core.types import Priority, TaskId

SEEN = datetime(2026, 2, 12, tzinfo=UTC)


def task(name: str, priority: Priority = Priority.NORMAL, days_old: int | None = None) -> Task:
    created = None if days_old is None else SEEN - timedelta(days=days_old)
    return Task(id=TaskId(name), priority=priority, created_at=created)


def test_urgency_goes_before_age_and_age_before_the_id() -> None:
    tasks = [
        task("e", Priority.LOW, 99),
        task("d"),
        task("c", days_old=1),
        task("b", days_old=1),
        task("a", Priority.CRITICAL),
    ]
    assert [found.id for found in sorted(tasks, key=lambda one: rank(one, SEEN))] == ["a", "b", "c", "d", "e"]


@given(st.lists(st.sampled_from(Priority), min_size=2, max_size=9))
@settings(max_examples=50)
def test_no_less_urgent_task_ever_goes_first(priorities: list[Priority]) -> None:
    ranks = [rank(task(str(number), priority), SEEN) for number, priority in enumerate(priorities)]
    assert [found[0] for found in sorted(ranks)] == sorted(priority.rank for priority in priorities)


def reachable(graph: dict[TaskId, set[TaskId]], start: TaskId) -> set[TaskId]:
    """Naively: what can be come to from there in at least one step."""
    found: set[TaskId] = set()
    front = [start]
    while front:
        for target in graph.get(front.pop(), set()):
            if target in graph and target not in found:
                found.add(target)
                front.append(target)
    return found


NAMES = [TaskId(name) for name in "abcdefg"]
GRAPHS = st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from([*NAMES, TaskId("ghost")]), max_size=4))


@given(GRAPHS)
@settings(max_examples=300)
def test_exactly_the_tasks_that_wait_for_each_other_are_found(graph: dict[TaskId, set[TaskId]]) -> None:
    reach = {name: reachable(graph, name) for name in graph}
    groups = {frozenset(other for other in graph if other in reach[name] and name in reach[other]) for name in graph}
    wanted = {group for group in groups if group}
    found = cycles(graph)
    assert {min(circle) for circle in found} == {min(group) for group in wanted}
    assert len(found) == len(wanted)
    for circle in found:
        assert circle[0] == min(circle)
        assert len(set(circle)) == len(circle)
        for one, next_one in zip(circle, [*circle[1:], circle[0]], strict=True):
            assert next_one in graph[one]


def test_a_chain_of_a_hundred_thousand_tasks_is_no_circle_and_one_when_its_ends_meet() -> None:
    names = [TaskId(f"t{number:06}") for number in range(100_000)]
    graph = {one: [other] for one, other in itertools.pairwise(names)}
    assert cycles(graph) == []
    [circle] = cycles({**graph, names[-1]: [names[0]]})
    assert circle == tuple(names)


def test_a_task_that_waits_for_itself_is_a_circle_of_one() -> None:
    assert cycles({TaskId("a"): ["a"], TaskId("b"): ["a"]}) == [("a",)]
