"""The cached configuration is the configuration, or it is not used."""

import os
import string
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.adapters import settings_cache
from orchestrator.adapters.settings_cache import NAME, Origin
from orchestrator.config import load
from orchestrator.core.settings import Settings

AGENTS = """
agents:
  dev:
    profile: agents/dev.agent.md
    preferred_tool: claude
    preferred_model: large
    task_types: {review: small}
    fallback_chain: [claude:small, plain]
  person: {manual: true}
"""
TOOLS = """
tools:
  claude:
    binary: claude
    command: ["{binary}", "-p", "--model", "{model}"]
    models: [small, large]
    timeout: 10m
    env: {KEY: "${SECRET_KEY}", PLACE: "${PLACE:-here}", MODE: fast}
    env_required: [SECRET_KEY, OTHER]
    env_pass: [HOME]
    options: {effort: high}
    capabilities: [edits_files]
    workspace: worktree
  plain: {binary: sh, command: ["{binary}"], env: {LEVEL: "3"}}
"""
MODELS = """
models:
  small: {provider: x, price: {input_mtok: 0.25, output_mtok: 1.25}}
  large: {provider: x, price: free, aliases: [big]}
"""
POLICIES = """
policies:
  default:
    max_parallel: 2
    tasks_may_choose: [model]
    limits: [{period: day, max_usd: 2.50, scope: {model: big}}]
checks: {tests: {command: [pytest, -q], timeout: 5m}}
trail: {mode: own}
retention: {archive_after: 3d, output_logs: 1d}
"""
GIVEN = {"SECRET_KEY": "sk-very-secret", "OTHER": "too", "PATH": "/bin"}


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    return workspace(tmp_path)


def workspace(folder: Path) -> Origin:
    config, state = folder / "config", folder / "state"
    for name in (config, state, folder / "agents"):
        name.mkdir(exist_ok=True)
    (folder / "agents" / "dev.agent.md").write_text("---\nname: Dev One\n---\nYou build.\n")
    for file, text in (("agents", AGENTS), ("tools", TOOLS), ("models", MODELS), ("policies", POLICIES)):
        (config / f"{file}.yaml").write_text(text.lstrip())
    return Origin(state=state, config=config, repository=folder, platform="linux")


def read(origin: Origin, environ: Mapping[str, str]) -> Settings:
    return load(origin.config, repository=origin.repository, environ=environ, platform=origin.platform)


def stored(origin: Origin) -> Settings:
    found = read(origin, GIVEN)
    assert settings_cache.store(origin, found, GIVEN)
    return found


def test_what_is_cached_is_what_was_read(origin: Origin) -> None:
    found = stored(origin)
    again = settings_cache.load(origin, GIVEN)
    assert again == found
    assert again is not None
    assert list(again.agents) == list(found.agents)
    assert list(again.tools) == list(found.tools)


@given(
    st.dictionaries(
        st.sampled_from(["SECRET_KEY", "OTHER", "PLACE", "KEY"]), st.text(string.printable, max_size=8), max_size=4
    )
)
@settings(max_examples=40)
def test_under_every_environment_it_says_what_the_files_say(
    tmp_path_factory: pytest.TempPathFactory, environ: dict[str, str]
) -> None:
    origin = workspace(tmp_path_factory.mktemp("w"))
    stored(origin)
    assert settings_cache.load(origin, environ) == read(origin, environ)


def test_no_value_of_the_environment_is_in_it_and_nobody_else_may_read_it(origin: Origin) -> None:
    stored(origin)
    file = origin.state / NAME
    assert b"sk-very-secret" not in file.read_bytes()
    assert b"${SECRET_KEY}" in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "file",
    ["config/agents.yaml", "config/tools.yaml", "config/models.yaml", "config/policies.yaml", "agents/dev.agent.md"],
)
@pytest.mark.parametrize("how", ["changed", "gone"])
def test_a_file_that_changed_is_a_miss_even_where_size_and_time_are_the_same(
    origin: Origin, file: str, how: str
) -> None:
    stored(origin)
    path = origin.repository / file
    looks = path.stat()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes().swapcase())
        os.utime(path, ns=(looks.st_atime_ns, looks.st_mtime_ns))
        assert path.stat().st_size == looks.st_size
    assert settings_cache.load(origin, GIVEN) is None


def test_another_machine_platform_or_repository_is_a_miss(origin: Origin, tmp_path: Path) -> None:
    stored(origin)
    for other in (
        Origin(state=origin.state, config=origin.config, repository=origin.repository, platform="darwin"),
        Origin(state=origin.state, config=origin.config, repository=tmp_path / "x", platform="linux"),
        Origin(state=origin.state, config=origin.config, repository=origin.repository, platform="linux", machine="wsl"),
    ):
        assert settings_cache.load(other, GIVEN) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"made_of": 1}',
        b'{"!": "Nobody", "v": {}}',
        b'{"!": "Tool", "v": {"x": 1}}',
        b'{"!": "tuple"}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_damaged_cache_is_a_miss(origin: Origin, content: bytes) -> None:
    stored(origin)
    (origin.state / NAME).write_bytes(content)
    assert settings_cache.load(origin, GIVEN) is None


def test_a_torn_cache_is_a_miss_wherever_it_is_torn(origin: Origin) -> None:
    stored(origin)
    whole = (origin.state / NAME).read_bytes()
    for length in range(0, len(whole), 97):
        (origin.state / NAME).write_bytes(whole[:length])
        assert settings_cache.load(origin, GIVEN) is None


def test_where_it_cannot_be_written_nothing_is_kept_and_nothing_fails(origin: Origin) -> None:
    found = read(origin, GIVEN)
    gone = Origin(state=origin.state / "gone", config=origin.config, repository=origin.repository, platform="linux")
    assert not settings_cache.store(gone, found, GIVEN)
    assert not list(origin.state.iterdir())
