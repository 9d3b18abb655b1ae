"""The order of work: urgency, then age, then id; and dependencies, with the cycles among them named."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from orchestrator.core.task import Task
from orchestrator.core.types import TaskId

_NEVER = datetime.max.replace(tzinfo=UTC)

Rank = tuple[int, datetime, str]


def rank(task: Task, seen_at: datetime) -> Rank:
    """Sorts tasks: the most urgent first, then the oldest by `created_at` (else by when it was seen), then by id."""
    return task.priority.rank, min(task.created_at or seen_at, _NEVER), task.id


def cycles(waits_for: Mapping[TaskId, Iterable[TaskId]]) -> list[tuple[TaskId, ...]]:
    """The circles among dependencies, each once, from its smallest id: (a, b) means a waits for b and b for a.

    Tarjan's strongly connected components, without recursion: a chain of 100,000 tasks is ordinary input.
    """
    found = [_walk(component, waits_for) for component in _components(waits_for)]
    return sorted(circle for circle in found if circle)


def _components(graph: Mapping[TaskId, Iterable[TaskId]]) -> Iterable[list[TaskId]]:
    index: dict[TaskId, int] = {}
    low: dict[TaskId, int] = {}
    stack: list[TaskId] = []
    on_stack: set[TaskId] = set()
    for root in graph:
        if root in index:
            continue
        work = [(root, iter([n for n in graph.get(root, ()) if n in graph]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            node, following = work[-1]
            for target in following:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter([n for n in graph.get(target, ()) if n in graph])))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    component = [stack.pop()]
                    while component[-1] != node:
                        component.append(stack.pop())
                    on_stack.difference_update(component)
                    yield component


def _walk(component: list[TaskId], graph: Mapping[TaskId, Iterable[TaskId]]) -> tuple[TaskId, ...]:
    """One circle through the component's smallest id; () where the component is a single task that is no circle."""
    members = set(component)
    start = min(component)
    if len(component) == 1:
        return (start,) if start in set(graph.get(start, ())) else ()
    came_from: dict[TaskId, TaskId] = {}
    front = [start]
    while front:
        node = front.pop(0)
        for target in graph.get(node, ()):
            if target == start:
                path = [node]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return tuple(reversed(path))
            if target in members and target not in came_from:
                came_from[target] = node
                front.append(target)
    return ()
