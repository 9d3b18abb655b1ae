"""The four files side by side, so that a name in one can be looked up in another."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.config.schema import (
    AgentEntry,
    CheckEntry,
    ModelEntry,
    PolicyEntry,
    ToolEntry,
)
from orchestrator.config.sheet import Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The sheets, and their entries without what did not fit."""

    agents_sheet: Sheet
    tools_sheet: Sheet
    models_sheet: Sheet
    policies_sheet: Sheet
    agents: dict[str, AgentEntry]
    tools: dict[str, ToolEntry]
    models: dict[str, ModelEntry]
    policies: dict[str, PolicyEntry]
    checks: dict[str, CheckEntry]

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """All four, in the order in which they are read."""
        return (self.agents_sheet, self.tools_sheet, self.models_sheet, self.policies_sheet)

    def knows_tools(self) -> bool:
        """Whether every tool's name is known."""
        return self.tools_sheet.readable

    def knows_models(self) -> bool:
        """Whether every model's name is known: models are named in models.yaml and by the tools."""
        tools, models = self.tools_sheet, self.models_sheet
        listed = all(tools.is_whole("tools", tool, "models") for tool in tools.names("tools"))
        called = all(models.is_whole("models", model, "aliases") for model in models.names("models"))
        return tools.readable and models.readable and listed and called

    def model_names(self) -> tuple[str, ...]:
        """Every name by which a model can be called."""
        of_tools = (name for tool in self.tools.values() for name in tool.models)
        aliases = (alias for entry in self.models.values() for alias in entry.aliases)
        return tuple(dict.fromkeys((*self.models_sheet.names("models"), *aliases, *of_tools)))

    def canonical(self, model: str) -> str:
        """The name of a model that may have been called by an alias."""
        if model in self.models:
            return model
        owners = (name for name, entry in self.models.items() if model in entry.aliases)
        return next(owners, model)

    def models_of(self, tool: str) -> tuple[str, ...]:
        """The models that a tool lists, by their own names; empty where it lists none or is not known."""
        entry = self.tools.get(tool)
        return tuple(self.canonical(model) for model in entry.models) if entry else ()

    def canonical_route(self, route: str) -> str:
        """`tool` or `tool:model` with the model by its own name."""
        tool, colon, model = route.partition(":")
        return f"{tool}:{self.canonical(model)}" if colon else tool

    def knows_providers(self) -> bool:
        """Whether every provider is known."""
        models = self.models_sheet
        return models.readable and all(models.is_whole("models", name, "provider") for name in models.names("models"))

    def providers(self) -> Iterator[str]:
        """The providers that models name."""
        return (entry.provider for entry in self.models.values() if entry.provider)
