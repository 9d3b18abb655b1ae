"""The four files -> Settings, or every problem of all of them at once."""

from collections.abc import Mapping
from pathlib import Path

from orchestrator.config import build
from orchestrator.config.book import Book
from orchestrator.config.crosscheck import check
from orchestrator.config.drives import Machine
from orchestrator.config.profiles import read_name
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
from orchestrator.core.settings import Settings


def load(
    root_config: Path,
    *,
    repository: Path,
    environ: Mapping[str, str],
    platform: str,
    drives: str = "",
    instead: Mapping[str, bytes] | None = None,
) -> Settings:
    """Read agents.yaml, tools.yaml, models.yaml and policies.yaml of a folder.

    `repository` is where profiles are looked up and what paths in messages are relative to; `environ` fills variables
    in the tools' `env`; `platform` is a `sys.platform`; `drives` is where WSL mounts the drives of Windows, empty
    elsewhere (config.drives); `instead` has, by file name, contents that are read instead of what is on disk. Raises
    ConfigRefused with all the problems there are.
    """
    book = _book(root_config, repository, instead or {})
    check(book)
    for name, tool in book.tools.items():
        check_tool(book.tools_sheet, name, tool)
    profile_names = {
        key: read_name(book.agents_sheet, key, entry.profile, repository)
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
    problems = [problem for sheet in book.sheets for problem in sheet.problems]
    if problems:
        raise ConfigRefused(problems)
    return Settings(
        agents=build.agents(book, profile_names),
        tools=build.tools(book, Machine(environ=environ, platform=platform, drives=drives), single),
        models=build.models(book),
        policies=build.policies(book),
        checks=build.checks(book.checks),
        trail=build.trail(trail),
        intake=build.intake(intake),
        retention=build.retention(retention),
        workspaces=build.workspaces(workspaces),
        providers=build.providers(providers),
    )


def _book(folder: Path, repository: Path, instead: Mapping[str, bytes]) -> Book:
    def sheet(name: str, *, required: bool = False) -> Sheet:
        file = folder / name
        shown_as = file.relative_to(repository) if file.is_relative_to(repository) else file
        return open_sheet(file, shown_as=shown_as.as_posix(), required=required, instead=instead.get(name))

    agents, tools = sheet("agents.yaml", required=True), sheet("tools.yaml", required=True)
    models, policies = sheet("models.yaml"), sheet("policies.yaml")
    agents.sections("agents", required=("agents",))
    tools.sections("tools", required=("tools",))
    models.sections("models")
    policies.sections("policies", "checks", "providers", "retention", "trail", "intake", "workspaces", "orphan_grace")
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
