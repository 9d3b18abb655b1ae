"""What a run of Claude Code used and cost, where its figures count for the whole session."""

from dataclasses import dataclass, field

from orchestrator.adapters.readers import values
from orchestrator.adapters.readers.values import Json
from orchestrator.core.types import MicroUsd, Tokens
from orchestrator.core.verdict import Reported

# Measured: 2.1.197 begins at 0 when a session is resumed, 2.1.329 goes on from its total. In between, the figures tell.
_RESTARTS = (2, 1, 197)
_CARRIES = (2, 1, 329)


@dataclass(slots=True, kw_only=True)
class Usage:
    """Tokens by message: the same usage is told with every part of a message, and grows while it streams."""

    by_message: values.Tally = field(default_factory=values.Tally)
    streaming: str = ""  # the message that partial events are about

    def take(self, message: Json) -> None:
        """The usage that comes with a message, counted once."""
        usage = message.get("usage")
        if isinstance(usage, dict):
            self._keep(values.short(message.get("id")), _of_api(usage))

    def take_partial(self, event: Json) -> None:
        """The usage in a partial event (`--include-partial-messages`), which has the true output of a message."""
        inner = values.mapping(event.get("event"))
        if inner.get("type") == "message_start":
            message = values.mapping(inner.get("message"))
            self.streaming = values.short(message.get("id"))
            self.take(message)
        elif inner.get("type") == "message_delta" and self.streaming and isinstance(inner.get("usage"), dict):
            self._keep(self.streaming, _of_api(values.mapping(inner.get("usage"))))

    def total(self) -> Tokens | None:
        """Of all messages; None where none told."""
        return self.by_message.total()

    def _keep(self, message: str, found: Tokens) -> None:
        known = self.by_message.known(message)
        largest = Tokens(
            input=max(known.input, found.input),
            cache_read=max(known.cache_read, found.cache_read),
            cache_write=max(known.cache_write, found.cache_write),
            output=max(known.output, found.output),
        )
        self.by_message.put(message, largest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The figures of a `result` event."""

    total: Tokens  # by modelUsage, which counts every call; `usage` leaves the last one out where it failed
    usage: Tokens  # of this run, as far as it tells
    cost: MicroUsd | None
    model: str  # where it was one
    session_id: str
    version: str
    has_total: bool  # modelUsage was there

    @classmethod
    def of(cls, result: Json, version: str, session_id: str) -> "Account":
        """The figures in the event."""
        usage = _of_api(values.mapping(result.get("usage")))
        models = values.mapping(result.get("modelUsage"))
        total = values.added(_of_model(values.mapping(one)) for one in models.values())
        return cls(
            total=total if models else usage,
            usage=usage,
            cost=values.micro_usd(result.get("total_cost_usd")),
            model=values.short(next(iter(models))) if len(models) == 1 else "",
            session_id=session_id,
            version=version,
            has_total=bool(models),
        )

    @property
    def reported(self) -> Reported:
        """For the next run of the session."""
        return Reported(session_id=self.session_id, tokens=self.total, cost=self.cost, version=self.version)

    def of_this_run(self, previous: Reported | None) -> tuple[Tokens, MicroUsd | None]:
        """Tokens and cost of this run alone; never a negative difference."""
        if previous is None or not self._goes_on_from(previous):
            return self.total, self.cost
        cost = self.cost
        if cost is not None and previous.cost is not None:
            cost = MicroUsd(cost - previous.cost)
        return values.without(self.total, previous.tokens), cost

    def _goes_on_from(self, previous: Reported) -> bool:
        """Whether these figures hold those of the runs before."""
        version = _numbers(self.version)
        if not self.has_total or (version and version <= _RESTARTS):
            return False
        if self.cost is not None and previous.cost is not None and self.cost < previous.cost:
            return False
        if version >= _CARRIES:
            return values.covers(self.total, previous.tokens)
        return values.covers(self.total, values.added((previous.tokens, self.usage)))


def _of_api(usage: Json) -> Tokens:
    return Tokens(
        input=values.number(usage.get("input_tokens")),
        cache_read=values.number(usage.get("cache_read_input_tokens")),
        cache_write=values.number(usage.get("cache_creation_input_tokens")),
        output=values.number(usage.get("output_tokens")),
    )


def _of_model(usage: Json) -> Tokens:
    return Tokens(
        input=values.number(usage.get("inputTokens")),
        cache_read=values.number(usage.get("cacheReadInputTokens")),
        cache_write=values.number(usage.get("cacheCreationInputTokens")),
        output=values.number(usage.get("outputTokens")),
    )


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")
    return tuple(int(part) for part in parts) if all(part.isascii() and part.isdigit() for part in parts) else ()
