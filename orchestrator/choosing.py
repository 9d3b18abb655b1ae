"""Who does a task now: the route as things stand on this machine, the place in its rates and the money for it."""

from orchestrator import affording, trying
from orchestrator.core import cooldowns, routing
from orchestrator.core.hindrance import Hindrance
from orchestrator.core.rates import Limited, limited
from orchestrator.core.settings import Model, Tool
from orchestrator.core.task import Task
from orchestrator.core.types import AgentKey, ErrorKind, InvocationId
from orchestrator.core.verdict import Ran
from orchestrator.errors import OrchestratorError
from orchestrator.registrar import Held
from orchestrator.running import Run, Way
from orchestrator.world import World


def plan(world: World, task: Task, agent: AgentKey, requested: routing.Requested) -> routing.Route | routing.Refusal:
    """Which tool and model may do it now. Nothing is held by asking. Blocking.

    Raises:
        OrchestratorError, OSError: the ledger or the rates cannot be read.
    """

    def unavailable(tool: Tool) -> str:
        why = world.engine.unavailable(tool.binary)
        return f"{why} ({tool.install})" if why and tool.install else why

    def rate(tool: Tool, model: Model) -> Hindrance | None:
        found = _limits(world, tool, model)
        return world.rates.hindrance(found) if found else None

    def cooling(tool: Tool, model: Model) -> Hindrance | None:
        return world.rates.cooling(tool.name, model.name)

    def money(tool: Tool, model: Model) -> Hindrance | None:
        if requested.justification:  # a person goes over the limit, and says why
            return None
        return affording.hindrance(world, task, agent, tool, model)

    conditions = routing.Conditions(unavailable=unavailable, rate=rate, cooling=cooling, money=money)
    return routing.plan(task, world.agent(agent), world.settings(), conditions, requested)


def way(
    world: World, held: Held, route: routing.Route | routing.Refusal, requested: routing.Requested
) -> Way | routing.Refusal:
    """The first candidate for which there is a place and money, both taken; or why there is none. Blocking.

    Raises:
        OrchestratorError, OSError: the ledger or the rates cannot be kept: then nothing is taken, and nothing may run.
    """
    if isinstance(route, routing.Refusal):
        return route
    rejected = list(route.rejected)
    retries = world.settings().policy(world.agent(held.agent).policy).retries
    for candidate in trying.in_turn(world.events.read(held.id), route.candidates, retries):
        model = world.settings().model(candidate.model)
        invocation_id = InvocationId(world.events.new_id())
        limits = _limits(world, candidate.tool, model)
        full = world.rates.take(invocation_id, limits) if limits else None
        if full is None:
            try:
                hold = affording.reserve(world, held, candidate.tool, model, invocation_id, requested.justification)
            except (OrchestratorError, OSError):
                if limits:
                    world.rates.undo(invocation_id)
                raise
            if not isinstance(hold, affording.Refused):
                return Way(candidate=candidate, invocation_id=invocation_id, hold=hold)
            full = hold.hindrance
            if limits:
                world.rates.undo(invocation_id)
        rejected.append(
            routing.Rejected(
                tool=candidate.tool.name,
                model=candidate.model,
                reason=candidate.reason,
                why=full.why,
                until=full.until,
                place=candidate.place,
            )
        )
    why = "; ".join(dict.fromkeys(f"{one.tool}: {one.why}" for one in rejected))
    return routing.Refusal(why=f"no available tool for {held.agent}: {why}", rejected=tuple(rejected))


def cannot_be_planned(error: OrchestratorError | OSError) -> routing.Refusal:
    """What a task is told for which no money can be held, or no place taken: it waits until that is mended.

    Raises:
        OSError: the same, where the disk is full: that is waited for.
    """
    if isinstance(error, OSError) and affording.is_waited_for(error):
        raise error
    return routing.Refusal(why=f"nothing may run before money and rates can be kept: {error}")


def give_back(world: World, held: Held, way: Way, why: str) -> None:
    """It is not going to run after all. One that was announced is left to whoever tells its end. Blocking."""
    if any(event.invocation_id == way.invocation_id for event in world.events.read(held.id)):
        return
    affording.give_back(world, way.hold, why)
    if _limits(world, way.candidate.tool, world.settings().model(way.candidate.model)):
        with affording.left_to_the_next_start():
            world.rates.undo(way.invocation_id)


def keep_place(world: World, invocation_id: InvocationId) -> None:
    """A run of an earlier daemon's goes on: its places are this process's. Blocking."""
    with affording.left_to_the_next_start():
        world.rates.keep(invocation_id)


def note_end(world: World, run: Run, ran: Ran) -> None:
    """The run is over: its place is free, and every process on the machine hears what it says of its tool. Blocking."""
    with affording.left_to_the_next_start():
        _note_end(world, run, ran)


def _note_end(world: World, run: Run, ran: Ran) -> None:
    tool = world.settings().tools.get(run.tool)
    if tool is None:
        return
    if _limits(world, tool, world.settings().model(run.model)):
        world.rates.release(run.invocation_id)
    kind = ran.failure
    if kind is ErrorKind.RATE_LIMITED or kind is ErrorKind.OVERLOADED:
        whole = cooldowns.is_of_account(kind, tool.billing)
        told = cooldowns.come_back(world.clock.now(), retry_after=ran.retry_after)
        scope = cooldowns.tool_scope(run.tool) if whole else cooldowns.tool_scope(run.tool, run.model)
        world.rates.cool(scope, told=told, why=kind.replace("_", " "))
    elif kind is None and ran.exit_code == 0:
        for scope in dict.fromkeys((cooldowns.tool_scope(run.tool), cooldowns.tool_scope(run.tool, run.model))):
            world.rates.clear(scope, began=run.started_at)


def _limits(world: World, tool: Tool, model: Model) -> tuple[Limited, ...]:
    return limited(tool, model.provider, world.settings().providers)
