"""What is declared and used by nothing, and what is asked for and can come of nothing."""

from collections.abc import Iterator, Mapping

from orchestrator.config.book import Book
from orchestrator.config.schema import AgentEntry, PolicyEntry, ProviderEntry
from orchestrator.config.wording import Finding, Step

_Found = tuple[str, Finding]  # the section whose sheet it belongs to


def unused(book: Book, providers: Mapping[str, ProviderEntry]) -> Iterator[_Found]:
    """Every finding with the name of its section."""
    for key, agent in book.agents.items():
        yield from _agent(book, key, agent)
    for name, policy in book.policies.items():
        yield from _policy(book, name, policy)
    yield from _tools(book)
    yield from _models(book)
    yield from _providers(book, providers)


def _agent(book: Book, key: str, agent: AgentEntry) -> Iterator[_Found]:
    at: tuple[Step, ...] = ("agents", key)
    policy = book.policies.get(agent.policy) or PolicyEntry.model_construct()
    runs = bool(agent.preferred_tool or agent.fallback_chain)
    if agent.manual:
        if runs:
            message = f"{key} is a person's role (`manual: true`): no tool is ever started for it"
            yield "agents", Finding(at=at, message=message, hint="remove `manual`, or its tools", at_key=True)
        return
    if not runs and not policy.escalation and "tool" not in policy.tasks_may_choose:
        message = f"nothing can do the tasks of {key}: it names no tool"
        hint = "add `preferred_tool:`, or `manual: true` where a person does them"
        yield "agents", Finding(at=at, message=message, hint=hint, at_key=True)
    elif not agent.preferred_tool:
        for field in ("preferred_model", "task_types"):
            if getattr(agent, field):
                message = "it is what the preferred tool is given, and there is none"
                yield "agents", Finding(at=(*at, field), message=message, hint="add `preferred_tool:`", at_key=True)
    first = _pair(book, f"{agent.preferred_tool}:{agent.preferred_model}" if agent.preferred_model else "")
    yield from (("agents", one) for one in _repeated(book, (*at, "fallback_chain"), agent.fallback_chain, first))


def _policy(book: Book, name: str, policy: PolicyEntry) -> Iterator[_Found]:
    at: tuple[Step, ...] = ("policies", name)
    if name != "default" and name not in book.used_policies:
        message = "no agent uses it"
        hint = f"write `policy: {name}` at an agent, or remove it"
        yield "policies", Finding(at=at, message=message, hint=hint, at_key=True)
    yield from (("policies", one) for one in _repeated(book, (*at, "escalation"), policy.escalation))
    cheap = policy.cost_optimization.simple_task_models if policy.cost_optimization else []
    for index, model in enumerate(cheap):
        if book.canonical(model) not in book.listed_models:
            message = f"no tool lists {model}: small tasks never run on it"
            place = (*at, "cost_optimization", "simple_task_models", index)
            yield "policies", Finding(at=place, message=message, hint="add it to the `models` of a tool")


def _repeated(
    book: Book, at: tuple[Step, ...], chain: list[str], first: tuple[str, str] | None = None
) -> Iterator[Finding]:
    """A candidate is tried once, where it stands first."""
    seen: dict[tuple[str, str], str] = {} if first is None else {first: "what it falls back from"}
    for index, route in enumerate(chain):
        pair = _pair(book, route)
        if pair is None:
            continue
        if pair in seen:
            message = f"{route} is {seen[pair]}: it is tried once"
            yield Finding(at=(*at, index), message=message, hint="remove it here")
        seen.setdefault(pair, f"there already, at {at[-1]}[{index}]")


def _pair(book: Book, route: str) -> tuple[str, str] | None:
    tool, _, model = route.partition(":")
    return (tool, book.canonical(model)) if tool else None


def _tools(book: Book) -> Iterator[_Found]:
    used = {policy: entry for policy, entry in book.policies.items() if policy in book.used_policies}
    chains = [
        *(agent.fallback_chain for agent in book.agents.values()),
        *(policy.escalation for policy in used.values()),
    ]
    named = {agent.preferred_tool for agent in book.agents.values()}
    named |= {route.partition(":")[0] for chain in chains for route in chain}
    if any("tool" in policy.tasks_may_choose for policy in used.values()):
        return
    for name, tool in book.tools.items():
        if name not in named:
            message = "no agent uses it: only `orchestrator exec --tool` reaches it"
            hint = "name it as a `preferred_tool` or in a `fallback_chain`, or remove it"
            yield "tools", Finding(at=("tools", name), message=message, hint=hint, at_key=True)
        seen: set[str] = set()
        for index, model in enumerate(tool.models):
            own = book.canonical(model)
            if own in seen:
                message = f"{model} is in the list twice"
                place = ("tools", name, "models", index)
                yield "tools", Finding(at=place, message=message, hint="remove it here")
            seen.add(own)


def _models(book: Book) -> Iterator[_Found]:
    """A tool that lists none may be asked for any."""
    if not all(entry.models for entry in book.tools.values()):
        return
    for name in book.models:
        if name not in book.listed_models:
            message, hint = "no tool lists it: nothing runs on it", "add it to the `models` of a tool, or remove it"
            yield "models", Finding(at=("models", name), message=message, hint=hint, at_key=True)


def _providers(book: Book, providers: Mapping[str, ProviderEntry]) -> Iterator[_Found]:
    """Where a model does not say its provider, the price table does, and it may be any."""
    if not book.listed_models <= set(book.models) or not all(entry.provider for entry in book.models.values()):
        return
    for name in providers:
        if name not in book.providers:
            message = "no model names this provider"
            hint = f"known: {', '.join(sorted(book.providers)[:12]) or 'none'}"
            yield "providers", Finding(at=("providers", name), message=message, hint=hint, at_key=True)
