"""Every test has a home, a git configuration and an environment of its own."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from orchestrator.adapters.doctor import credentials

# No timed test: a law says what is true, and not how fast; and the same commit gives the same answer each time.
settings.register_profile(
    "ours", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("ours")


@pytest.fixture(autouse=True)
def hermetic(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """HOME and git's configuration are ours; nothing of the caller's GIT_*, ORCHESTRATOR_* or keys reaches a test."""
    home = tmp_path_factory.mktemp("home")
    for kept in credentials.KNOWN.values():  # a key and its tool on PATH: `init` would use it, and that costs money
        for name in kept.variables:
            monkeypatch.delenv(name, raising=False)
    for name in list(os.environ):
        if name.startswith(("GIT_", "ORCHESTRATOR_", "XDG_")) or name in {"NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"}:
            monkeypatch.delenv(name)
    config = home / ".gitconfig"
    config.write_text(
        "[user]\n\tname = Tester\n\temail = tester@example.invalid\n[init]\n\tdefaultBranch = main\n"
        '[protocol "file"]\n\tallow = always\n'
    )
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("TZ", "UTC")
    return home
