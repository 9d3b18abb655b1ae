"""All that the straight path needs of the world, in one value. Built by wiring; tests build one of plain lists."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from orchestrator.core.claims import Claims
from orchestrator.core.settings import Agent, Privacy, Settings, Tool
from orchestrator.core.types import AgentKey
from orchestrator.core.verdict import Printed, Ran, Reported
from orchestrator.launch import Host
from orchestrator.ports import (
    Clock,
    Disk,
    Engine,
    EventLog,
    Index,
    Ledger,
    Mailbox,
    Rates,
    Renderer,
    Trail,
    Workspaces,
)
from orchestrator.registrar import Registrar


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The ports, and what is read through them anew each time."""

    mailbox: Mailbox
    events: EventLog
    trail: Trail
    index: Index
    engine: Engine
    workspaces: Workspaces
    ledger: Ledger
    rates: Rates
    clock: Clock
    disk: Disk
    registrar: Registrar
    renderer: Renderer
    read_output: Callable[[Tool, Ran, Printed, Reported | None], Ran]
    read_claims: Callable[[str], Claims]
    redact: Callable[[Ran, Privacy], Ran]  # what was printed, without secrets
    secret_in: Callable[[bytes, str], str]  # why a task file may not be kept in git; '' where it may
    settings: Callable[[], Settings]
    host: Host
    reached: Callable[[str], None]
    checkout: asyncio.Lock = field(default_factory=asyncio.Lock)  # held by the one run that works in it

    def agent(self, key: AgentKey) -> Agent:
        """The agent's configuration; one that has left it since is nobody's, and every plan for it is refused."""
        return self.settings().agents.get(key) or Agent(key=key)
