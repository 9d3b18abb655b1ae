"""The four configuration files -> Settings: positions, suggestions and plain words for whatever is wrong in them."""

from orchestrator.config.layering import Around
from orchestrator.config.loading import load
from orchestrator.config.refused import ConfigRefused

__all__ = ["Around", "ConfigRefused", "load"]
