"""The four files side by side, so that a name in one can be looked up in another."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from orchestrator.config.schema import (
    AgentEntry,
    CheckEntry,
    ModelEntry,
    PolicyEntry,
    ToolEntry,
)
from orchestrator.config.sheet import Sheet


# Without slots, so that what is asked for each of a thousand entries is found out once.
@dataclass(frozen=True, kw_only=True)
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

    @cached_property
    def agent_names(self) -> frozenset[str]:
        """The keys of agents.yaml, of dropped entries as well."""
        return frozenset(self.agents_sheet.names("agents"))

    @cached_property
    def tool_names(self) -> frozenset[str]:
        """The names in tools.yaml, of dropped entries as well."""
        return frozenset(self.tools_sheet.names("tools"))

    @cached_property
    def policy_names(self) -> frozenset[str]:
        """The names of policies. `default` need not be declared."""
        return frozenset(self.policies_sheet.names("policies")) | {"default"}

    @cached_property
    def model_names(self) -> frozenset[str]:
        """Every name by which a model can be called."""
        of_tools = (name for tool in self.tools.values() for name in tool.models)
        aliases = (alias for entry in self.models.values() for alias in entry.aliases)
        return frozenset((*self.models_sheet.names("models"), *aliases, *of_tools))

    def knows_tools(self) -> bool:
        """Whether every tool's name is known."""
        return self.tools_sheet.readable

    @cached_property
    def knows_models(self) -> bool:
        """Whether every model's name is known: models are named in models.yaml and by the tools."""
        tools, models = self.tools_sheet, self.models_sheet
        listed = all(tools.is_whole("tools", tool, "models") for tool in tools.names("tools"))
        called = all(models.is_whole("models", model, "aliases") for model in models.names("models"))
        return tools.readable and models.readable and listed and called

    def canonical(self, model: str) -> str:
        """The name of a model that may have been called by an alias."""
        return model if model in self.models else self._owners.get(model, model)

    @cached_property
    def _owners(self) -> Mapping[str, str]:
        """Whose alias each alias is: the first one's, where two models have it."""
        owners: dict[str, str] = {}
        for name, entry in self.models.items():
            for alias in entry.aliases:
                owners.setdefault(alias, name)
        return owners

    def models_of(self, tool: str) -> tuple[str, ...]:
        """The models that a tool lists, by their own names; empty where it lists none or is not known."""
        return self._listed.get(tool, ())

    def lists(self, tool: str, model: str) -> bool:
        """Whether a tool can run a model: one that lists none runs any, and one that is not known may."""
        return not self._listed.get(tool) or self.canonical(model) in self._listed_sets[tool]

    @cached_property
    def _listed(self) -> Mapping[str, tuple[str, ...]]:
        return {name: tuple(self.canonical(model) for model in entry.models) for name, entry in self.tools.items()}

    @cached_property
    def listed_models(self) -> frozenset[str]:
        """Every model that a tool lists, by its own name."""
        return frozenset(model for models in self._listed.values() for model in models)

    @cached_property
    def used_policies(self) -> frozenset[str]:
        """The policies of agents."""
        return frozenset(agent.policy for agent in self.agents.values())

    @cached_property
    def _listed_sets(self) -> Mapping[str, frozenset[str]]:
        return {name: frozenset(models) for name, models in self._listed.items()}

    def canonical_route(self, route: str) -> str:
        """`tool` or `tool:model` with the model by its own name."""
        tool, colon, model = route.partition(":")
        return f"{tool}:{self.canonical(model)}" if colon else tool

    @cached_property
    def knows_providers(self) -> bool:
        """Whether every provider is known."""
        models = self.models_sheet
        return models.readable and all(models.is_whole("models", name, "provider") for name in models.names("models"))

    @cached_property
    def providers(self) -> frozenset[str]:
        """The providers that models name."""
        return frozenset(entry.provider for entry in self.models.values() if entry.provider)
