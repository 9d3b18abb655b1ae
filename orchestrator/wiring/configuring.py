"""Reads the configuration of a workspace."""

import os
import sys

from orchestrator.adapters.place import Place
from orchestrator.config import load
from orchestrator.core.settings import Settings


def read_settings(place: Place) -> Settings:
    """The four files. ConfigRefusedError with every problem of them."""
    return load(place.config, repository=place.root, environ=os.environ, platform=sys.platform)
