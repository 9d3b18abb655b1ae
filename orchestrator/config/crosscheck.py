"""What no single value shows: names that must exist in another place, and keys that contradict each other."""

from collections.abc import Collection

from orchestrator.config.book import Book
from orchestrator.config.fields import nearest, shown
from orchestrator.config.limitcheck import check_limits
from orchestrator.config.pricecheck import check_prices
from orchestrator.config.schema import AgentEntry, OldLimitEntry, PolicyEntry, ScopeEntry
from orchestrator.config.sheet import Sheet
from orchestrator.config.wording import Finding, Step
from orchestrator.core.arguments import placeholders


def check(book: Book) -> None:
    """Note every problem of this kind on the sheets of the book."""
    _aliases(book.agents_sheet, "agents", {key: entry.aliases for key, entry in book.agents.items()})
    _aliases(book.models_sheet, "models", {key: entry.aliases for key, entry in book.models.items()})
    check_prices(book)
    for key, agent in book.agents.items():
        _agent(book, key, agent)
    for name, policy in book.policies.items():
        _policy(book, name, policy)
        _older_spellings(book.policies_sheet, name, policy)
        check_limits(book.policies_sheet, name, policy)
    _programs_of_checks(book)


def _agent(book: Book, key: str, agent: AgentEntry) -> None:
    sheet, at = book.agents_sheet, ("agents", key)
    tool = agent.preferred_tool or ""
    if tool:
        _tool(book, sheet, (*at, "preferred_tool"), tool)
    if agent.preferred_model and _model(book, sheet, (*at, "preferred_model"), agent.preferred_model):
        _pair(book, sheet, (*at, "preferred_model"), tool, agent.preferred_model)
    for index, route in enumerate(agent.fallback_chain):
        _route(book, sheet, (*at, "fallback_chain", index), route)
    for kind, model in agent.task_types.items():
        if _model(book, sheet, (*at, "task_types", kind), model):
            _pair(book, sheet, (*at, "task_types", kind), tool, model)
    if book.policies_sheet.readable:
        _known(sheet, (*at, "policy"), "policy", agent.policy, book.policy_names)


def _policy(book: Book, name: str, policy: PolicyEntry) -> None:
    sheet, at = book.policies_sheet, ("policies", name)
    for index, route in enumerate(policy.escalation):
        _route(book, sheet, (*at, "escalation", index), route)
    cheap = policy.cost_optimization.simple_task_models if policy.cost_optimization else []
    for index, model in enumerate(cheap):
        _model(book, sheet, (*at, "cost_optimization", "simple_task_models", index), model)
    for index, limit in enumerate(policy.limits):
        _scope(book, (*at, "limits", index, "scope"), limit.scope)
    if policy.limit:
        _scope(book, (*at, "limit", "scope"), policy.limit.scope)


def _programs_of_checks(book: Book) -> None:
    """Nothing is filled into the command of a check, so a program that waits for it is never found."""
    for name, entry in book.checks.items():
        program = entry.command[0]
        if placeholders(program):
            message = f"{shown(program)} is filled in for tools only"
            finding = Finding(at=("checks", name, "command"), message=message, hint="name the program, e.g. pytest")
            book.policies_sheet.refuse(finding)


def _scope(book: Book, at: tuple[Step, ...], scope: ScopeEntry) -> None:
    sheet = book.policies_sheet
    if scope.agent and book.agents_sheet.readable:
        _known(sheet, (*at, "agent"), "agent", scope.agent, book.agent_names)
    if scope.tool:
        _tool(book, sheet, (*at, "tool"), scope.tool)
    if scope.model:
        _model(book, sheet, (*at, "model"), scope.model)
    if scope.provider and book.knows_providers:
        _known(sheet, (*at, "provider"), "provider", scope.provider, book.providers)


def _route(book: Book, sheet: Sheet, at: tuple[Step, ...], route: str) -> None:
    tool, colon, model = route.partition(":")
    if not tool or (colon and not model):
        sheet.refuse(Finding(at=at, message=f"{shown(route)} is no tool", hint="write tool, or tool:model"))
        return
    if _tool(book, sheet, at, tool) and model and _model(book, sheet, at, model):
        _pair(book, sheet, at, tool, model)


def _tool(book: Book, sheet: Sheet, at: tuple[Step, ...], tool: str) -> bool:
    return not book.knows_tools() or _known(sheet, at, "tool", tool, book.tool_names)


def _model(book: Book, sheet: Sheet, at: tuple[Step, ...], model: str) -> bool:
    return not book.knows_models or _known(sheet, at, "model", model, book.model_names)


def _pair(book: Book, sheet: Sheet, at: tuple[Step, ...], tool: str, model: str) -> None:
    """A tool that lists its models can run only those."""
    if book.lists(tool, model):
        return
    hint = f"it lists {', '.join(book.models_of(tool))}; add the model to its `models`, or use one of those"
    sheet.refuse(Finding(at=at, message=f"the tool {tool} does not list the model {shown(model)}", hint=hint))


def _known(sheet: Sheet, at: tuple[Step, ...], what: str, name: str, names: Collection[str]) -> bool:
    if name in names:
        return True
    known = sorted(names)
    near = nearest(name, known)
    listed = ", ".join(known[:12]) or "none is declared"
    hint = f"did you mean {near}?" if near else f"known: {listed}"
    sheet.refuse(Finding(at=at, message=f"there is no {what} {shown(name)}", hint=hint))
    return False


def _aliases(sheet: Sheet, section: str, aliases: dict[str, list[str]]) -> None:
    """One name, one owner: compared without capitals, the way in which tasks may write it."""
    owner = {name.casefold(): name for name in sheet.names(section)}
    for key, written in aliases.items():
        for index, alias in enumerate(written):
            first = owner.setdefault(alias.casefold(), key)
            if first != key:
                message = f"{shown(alias)} already names {first}"
                sheet.refuse(Finding(at=(section, key, "aliases", index), message=message, hint="drop one of the two"))


def _older_spellings(sheet: Sheet, name: str, policy: PolicyEntry) -> None:
    """`daily_budget_usd` and its kin must mean one thing."""
    limit = policy.limit or OldLimitEntry.model_construct()
    at = ("policies", name)
    if not all(sheet.is_whole(*at, key) for key in ("limit", "daily_budget_usd", "monthly_budget_usd")):
        return
    if policy.block_over_budget is not None and limit.type and policy.block_over_budget != (limit.type == "hard"):
        message = f"block_over_budget: {shown(policy.block_over_budget)} contradicts limit.type: {limit.type}"
        sheet.refuse(Finding(at=(*at, "limit", "type"), message=message, hint="keep one of them"))
    if policy.limit and (limit.max_usd is None) != (limit.period is None):
        given, lacking = ("period", "max_usd") if limit.max_usd is None else ("max_usd", "period")
        message = f'"{given}" without "{lacking}" limits nothing'
        sheet.refuse(Finding(at=(*at, "limit", given), message=message, hint=f"add `{lacking}:`", at_key=True))
    has_budget = policy.daily_budget_usd or policy.monthly_budget_usd or limit.max_usd
    shaping = [
        key for key in ("limit", "alert_threshold_percent", "block_over_budget") if key in policy.model_fields_set
    ]
    if not has_budget and limit.period is None:
        for key in shaping:
            hint = "add daily_budget_usd, or write `limits:` (see docs/reference/configuration.md)"
            sheet.refuse(
                Finding(at=(*at, key), message="there is no budget that it could shape", hint=hint, at_key=True)
            )
