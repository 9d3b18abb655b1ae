"""The four files -> Settings, or every problem of all of them at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.config.book import Book
from orchestrator.config.crosscheck import check
from orchestrator.config.layering import ALONE, Around, lay
from orchestrator.config.layers import SECTIONS
from orchestrator.config.profiles import read_profile
from orchestrator.config.refused import ConfigRefused
from orchestrator.config.schema import (
    AgentEntry,
    CheckEntry,
    IntakeEntry,
    ModelEntry,
    PolicyEntry,
    ProviderEntry,
    RetentionEntry,
    SingleEntry,
    ToolEntry,
    TrailEntry,
    WorkspacesEntry,
)
from orchestrator.config.sheet import Sheet, open_sheet
from orchestrator.config.toolcheck import check_tool
from orchestrator.config.wording import Finding
from orchestrator.core.problem import Problem

if TYPE_CHECKING:
    from orchestrator.core.settings import Settings
    from orchestrator.taskfile.profile import Profile


def load(
    root_config: Path,
    *,
    repository: Path,
    environ: Mapping[str, str],
    platform: str,
    drives: str = "",
    instead: Mapping[str, bytes] | None = None,
    around: Around = ALONE,
) -> "Settings":
    """Read agents.yaml, tools.yaml, models.yaml and policies.yaml of a folder.

    `repository` is where profiles are looked up and what paths in messages are relative to; `environ` fills variables
    in the tools' `env`; `platform` is a `sys.platform`; `drives` is where WSL mounts the drives of Windows, empty
    elsewhere (config.drives); `instead` has, by file name, contents that are read instead of what is on disk; `around`
    has the layers below and above the folder. Raises ConfigRefused with all the problems there are.
    """
    read = examine(root_config, repository=repository, instead=instead, around=around)
    if read.problems:
        raise ConfigRefused(read.problems)
    # The values that all else uses take a dozen milliseconds to load, and who only looks for problems needs none.
    from orchestrator.config import build
    from orchestrator.config.drives import Machine
    from orchestrator.core.settings import Settings

    book = read.book
    return Settings(
        agents=build.agents(book, {key: profile.name for key, profile in read.profiles.items()}),
        tools=build.tools(book, Machine(environ=environ, platform=platform, drives=drives), read.single),
        models=build.models(book),
        policies=build.policies(book),
        checks=build.checks(book.checks),
        trail=build.trail(read.trail),
        intake=build.intake(read.intake),
        retention=build.retention(read.retention),
        workspaces=build.workspaces(read.workspaces),
        providers=build.providers(read.providers),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What the files say as far as it fits, and every problem of them: `config validate` goes on from here."""

    book: Book
    profiles: "Mapping[str, Profile]"  # by the agent that names it
    trail: TrailEntry | None
    intake: IntakeEntry | None
    retention: RetentionEntry | None
    workspaces: WorkspacesEntry | None
    providers: Mapping[str, ProviderEntry]
    single: SingleEntry

    @property
    def problems(self) -> list[Problem]:
        """Those of all the files, each once: a limit of the user's is read again for every policy that it binds."""
        every = [problem for sheet in self.book.sheets for problem in sheet.problems]
        seen = {
            (one.path, one.line, one.column, one.message, "" if one.line else one.key): one for one in reversed(every)
        }
        return list(reversed(seen.values()))


def examine(
    root_config: Path,
    *,
    repository: Path,
    instead: Mapping[str, bytes] | None = None,
    around: Around = ALONE,
) -> Examined:
    """Read and check the files as `load` does, and refuse nothing: the problems are noted on the sheets of the book."""
    book = _book(root_config, repository, instead or {}, around)
    check(book)
    for name, tool in book.tools.items():
        check_tool(book.tools_sheet, name, tool)
    profiles = {
        key: read_profile(book.agents_sheet, key, entry.profile, repository)
        for key, entry in book.agents.items()
        if entry.profile
    }
    policies = book.policies_sheet
    trail = policies.entry(TrailEntry, "trail")
    intake = policies.entry(IntakeEntry, "intake") if policies.holds("intake") else None
    retention = policies.entry(RetentionEntry, "retention")
    workspaces = policies.entry(WorkspacesEntry, "workspaces")
    providers = policies.entries("providers", ProviderEntry)
    single = policies.single(SingleEntry)
    _own_branch_is_not_taken_in(policies, trail, intake)
    return Examined(
        book=book,
        profiles=profiles,
        trail=trail,
        intake=intake,
        retention=retention,
        workspaces=workspaces,
        providers=providers,
        single=single,
    )


def sheets_of(
    folder: Path, *, repository: Path, instead: Mapping[str, bytes] | None = None, around: Around = ALONE
) -> dict[str, Sheet]:
    """The four files by name, their layers put together."""
    sheets = {}
    for name in SECTIONS:
        file = folder / name
        shown_as = file.relative_to(repository) if file.is_relative_to(repository) else file
        sheets[name] = open_sheet(file, shown_as=shown_as.as_posix(), instead=(instead or {}).get(name))
    lay(sheets, around)
    return sheets


def _book(folder: Path, repository: Path, instead: Mapping[str, bytes], around: Around) -> Book:
    sheets = sheets_of(folder, repository=repository, instead=instead, around=around)
    agents, tools, models, policies = sheets.values()
    agents.sections(*SECTIONS["agents.yaml"], required=("agents",))
    tools.sections(*SECTIONS["tools.yaml"], required=("tools",))
    models.sections(*SECTIONS["models.yaml"])
    policies.sections(*SECTIONS["policies.yaml"])
    return Book(
        agents_sheet=agents,
        tools_sheet=tools,
        models_sheet=models,
        policies_sheet=policies,
        agents=agents.entries("agents", AgentEntry),
        tools=tools.entries("tools", ToolEntry),
        models=models.entries("models", ModelEntry),
        policies=policies.entries("policies", PolicyEntry),
        checks=policies.entries("checks", CheckEntry),
    )


def _own_branch_is_not_taken_in(sheet: Sheet, trail: TrailEntry | None, intake: IntakeEntry | None) -> None:
    """A trail that is taken in would drop each task into the inbox again."""
    if trail and intake and trail.mode == "own" and trail.branch == intake.branch:
        message = f"the trail writes to {trail.branch} itself"
        hint = "take in another branch, e.g. main, or choose another trail.branch"
        sheet.refuse(Finding(at=("intake", "branch"), message=message, hint=hint))
