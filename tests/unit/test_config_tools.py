"""What stanzas of tools say: output, limits, platforms; and the stanzas of the catalogue."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import resources
from orchestrator.config import load
from orchestrator.config.drives import Machine, drives_of
from orchestrator.config.sizes import parse_size
from orchestrator.config.stanza import stanza_in
from orchestrator.core.arguments import fill
from orchestrator.core.invocation import Bounds
from orchestrator.core.pointers import Pointers, Shape, TokenPointers
from orchestrator.core.price_table import priced
from orchestrator.core.settings import PromptBy, Settings, Tool, WorkspaceKind, WorkspaceSettings
from orchestrator.prices.snapshot import shipped as shipped_prices

CATALOGUE = sorted((resources.folder("templates") / "tools").glob("*.yaml"))
NAMES = [file.stem for file in CATALOGUE]


def configured(root: Path, tools: str, policies: str = "", platform: str = "linux", drives: str = "") -> Settings:
    folder = root / "config"
    folder.mkdir(exist_ok=True)
    (folder / "agents.yaml").write_text("agents: {}\n")
    (folder / "tools.yaml").write_text(tools)
    (folder / "policies.yaml").write_text(policies)
    return load(folder, repository=root, environ={}, platform=platform, drives=drives)


def test_an_output_is_a_named_reader_or_pointers_into_json(tmp_path: Path) -> None:
    tools = configured(
        tmp_path,
        """
tools:
  plain: {binary: a}
  named: {binary: a, output: codex}
  mapped:
    binary: a
    output:
      format: jsonl
      text: /result/a~1b
      tokens: {input: /usage/in, cache_read: /usage/read, cache_write: /usage/write, output: /usage/out}
      input_includes_cache: true
      cost_usd: /cost
      session_id: /session
      turns: /turns
      denials: /denials
      error: /error
      error_message: /error/message
  older: {binary: a, output: {text: /t, tokens_input: /i, tokens_output: /o, tokens_cache_read: /r}}
""",
    ).tools
    assert (tools["plain"].output, tools["named"].output) == ("text", "codex")
    assert tools["mapped"].output == Pointers(
        format=Shape.JSONL,
        text="/result/a~1b",
        tokens=TokenPointers(
            input="/usage/in", cache_read="/usage/read", cache_write="/usage/write", output="/usage/out"
        ),
        input_includes_cache=True,
        cost_usd="/cost",
        session_id="/session",
        turns="/turns",
        denials="/denials",
        error="/error",
        error_message="/error/message",
    )
    older = TokenPointers(input="/i", cache_read="/r", output="/o")
    assert tools["older"].output == Pointers(text="/t", tokens=older)


def test_limits_are_the_bounds_of_every_run(tmp_path: Path) -> None:
    limits = "{output: 64MiB, kept: 1MB, silence: 90s, memory: 1.5GiB, processes: 40, file_size: 4096}"
    tools = configured(
        tmp_path, f"tools: {{a: {{binary: a, limits: {limits}}}, b: {{binary: b}}}}\n", "orphan_grace: 2m\n"
    ).tools
    assert tools["a"].bounds == Bounds(
        output=64 << 20,
        kept=10**6,
        silence=timedelta(seconds=90),
        memory=3 << 29,
        processes=40,
        file_size=4096,
        orphan_grace=timedelta(minutes=2),
    )
    assert tools["b"].bounds == Bounds(orphan_grace=timedelta(minutes=2))


def test_workspaces_say_how_worktrees_are_made(tmp_path: Path) -> None:
    text = "workspaces: {base: main, folder: /srv/trees, setup: npm ci, setup_timeout: 3m, copy: [.env.test],\n"
    text += "  max_file: 5MB}\n"
    assert configured(tmp_path, "tools: {}\n", text).workspaces == WorkspaceSettings(
        base="main",
        folder="/srv/trees",
        setup=("npm", "ci"),
        setup_timeout=timedelta(minutes=3),
        copy=(".env.test",),
        max_file=5 * 10**6,
    )
    assert configured(tmp_path, "tools: {}\n").workspaces == WorkspaceSettings()


@settings(max_examples=100)
@given(
    st.integers(1, 1 << 40), st.sampled_from([("", 1), ("B", 1), ("kB", 10**3), ("MiB", 1 << 20), (" KiB", 1 << 10)])
)
def test_a_size_is_its_number_times_its_unit(number: int, unit: tuple[str, int]) -> None:
    written, factor = unit
    if number * factor <= 1 << 50:
        assert parse_size(f"{number}{written}") == number * factor
    else:
        with pytest.raises(ValueError, match="more than a thousand terabytes"):
            parse_size(f"{number}{written}")


PATHS = {
    "a drive": (r"C:\Tools\x.exe", "/mnt", "/mnt/c/Tools/x.exe"),
    "slashes": ("d:/a b/x.exe", "/mnt", "/mnt/d/a b/x.exe"),
    "doubled separators": (r"C:\\Tools\\x.exe", "/mnt", "/mnt/c/Tools/x.exe"),
    "another root": (r"C:\x.exe", "/drives/", "/drives/c/x.exe"),
    "drives at the top": (r"C:\x.exe", "/", "/c/x.exe"),
    "no WSL": (r"C:\x.exe", "", r"C:\x.exe"),
    "a path of Linux": ("/usr/bin/x", "/mnt", "/usr/bin/x"),
    "a name": ("claude", "/mnt", "claude"),
    "a name with a colon": ("c:x", "/mnt", "c:x"),
}


@pytest.mark.parametrize(("path", "drives", "here"), PATHS.values(), ids=PATHS)
def test_a_path_of_windows_is_found_under_wsl(path: str, drives: str, here: str) -> None:
    assert Machine(environ={}, platform="linux", drives=drives).path_here(path) == here


MACHINES = {
    "no WSL": ({}, "Linux version 6.1.0 (gcc)", "", ""),
    "by its kernel": ({}, "Linux version 5.15.90.1-microsoft-standard-WSL2", "", "/mnt"),
    "by its first kernel": ({}, "Linux version 4.4.0-Microsoft", "", "/mnt"),
    "by the environment": ({"WSL_INTEROP": "/run/WSL/8_interop"}, "", "", "/mnt"),
    "by its name": ({"WSL_DISTRO_NAME": "Debian"}, "", "", "/mnt"),
    "with a root": ({"WSL_INTEROP": "x"}, "", "[automount]\nenabled = true\nroot = /drives/\n", "/drives"),
    "with a quoted root": ({"WSL_INTEROP": "x"}, "", '[automount]\nroot="/win"  # ours\n', "/win"),
    "with the root /": ({"WSL_INTEROP": "x"}, "", "[automount]\nroot=/\n", "/"),
    "with the root of another section": ({"WSL_INTEROP": "x"}, "", "[network]\nroot=/no\n", "/mnt"),
    "with a root in a comment": ({"WSL_INTEROP": "x"}, "", "[automount]\n# root=/no\n", "/mnt"),
    "no WSL, but its file": ({}, "Linux", "[automount]\nroot=/win\n", ""),
}


@pytest.mark.parametrize(("environ", "version", "conf", "root"), MACHINES.values(), ids=MACHINES)
def test_wsl_is_known_and_where_it_mounts_the_drives(
    environ: dict[str, str], version: str, conf: str, root: str
) -> None:
    assert drives_of(environ=environ, proc_version=version, wsl_conf=conf) == root


@pytest.mark.parametrize(
    ("drives", "binary"), [("", ""), ("/mnt", "/mnt/c/Tools/x.exe")], ids=["elsewhere", "under WSL"]
)
def test_a_tool_of_windows_alone_can_be_had_under_wsl(tmp_path: Path, drives: str, binary: str) -> None:
    tools = r"tools: {x: {platforms: {windows: 'C:\Tools\x.exe'}}}" + "\n"
    assert configured(tmp_path, tools, drives=drives).tools["x"].binary == binary


def test_a_tool_that_lacks_a_variable_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    tools = configured(
        tmp_path, "tools: {a: {binary: a, env: {K: '${NO}'}, env_required: [NEVER]}, b: {binary: b}}\n"
    ).tools
    assert (tools["a"].env_missing, tools["a"].env) == (("NO", "NEVER"), {})
    assert tools["b"].env_missing == ()


def shipped(root: Path, name: str) -> Tool:
    """A stanza of the catalogue, as it is read."""
    file = resources.folder("templates") / "tools" / f"{name}.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()
    return configured(root, "tools:\n" + "".join(f"  {line}\n" for line in lines)).tools[name]


def test_the_catalogue_has_every_tool_that_the_program_knows() -> None:
    known = {
        "claude",
        "codex",
        "gemini",
        "opencode",
        "copilot",
        "llm",
        "aider",
        "cursor-agent",
        "goose",
        "ollama",
        "brief",
    }
    assert set(NAMES) == known


@pytest.mark.parametrize("name", NAMES)
def test_a_stanza_of_the_catalogue_is_read_and_holds_what_makes_it_safe_unattended(tmp_path: Path, name: str) -> None:
    tool = shipped(tmp_path, name)
    assert tool.env_missing == ()  # a key is passed where there is one: people are logged in by other ways too
    assert tool.timeout <= timedelta(hours=1)
    assert tool.install or name == "brief"
    assert not [value for value in tool.env.values() if "KEY" in value]
    edits = "edits_files" in tool.capabilities
    assert (tool.workspace is WorkspaceKind.WORKTREE) == edits
    values: dict[str, str | None] = {
        **tool.options, "binary": "/bin/x", "model": "M", "prompt": "- a\n- b", "prompt_file": "/p", "output_file": "/o"
    }  # fmt: skip
    filled = fill(tool.command, values)
    if tool.prompt is PromptBy.ARGUMENT:
        assert filled[filled.index("- a\n- b") - 1] == "--"
    assert "M" in filled or name == "brief"
    without = fill(tool.command, {**values, "model": None})
    assert "M" not in without
    assert not {"--model", "-m"} & set(without) or name == "brief"  # python -m


SAFE = {
    "claude": {"--max-turns", "--max-budget-usd", "--permission-mode", "--verbose"},
    "codex": {"analytics.enabled=false", "--skip-git-repo-check", "-s", "approval_policy=never"},
    "gemini": {"--skip-trust", "--approval-mode"},
    "copilot": {"--no-ask-user", "--max-ai-credits", "--allow-tool={allow_tool}"},
    "aider": {"--yes-always", "--no-auto-commits", "--no-gitignore", "--no-show-model-warnings"},
}


@pytest.mark.parametrize("name", SAFE)
def test_nothing_of_a_stanza_waits_for_somebody_or_goes_on_for_ever(tmp_path: Path, name: str) -> None:
    tool = shipped(tmp_path, name)
    assert SAFE[name] <= set(tool.command)
    assert tool.bounds.silence is not None
    assert tool.bounds.silence < tool.timeout
    assert tool.version_command
    assert tool.tested_versions


def test_the_models_that_the_catalogue_prices_are_read_and_those_of_its_tools_are_among_them(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "agents.yaml").write_text("agents: {}\n")
    tools = {name: shipped(tmp_path, name) for name in NAMES}
    text = "models:\n"
    for file in sorted((resources.folder("templates") / "models").glob("*.yaml")):
        text += "".join(f"  {line}\n" for line in file.read_text(encoding="utf-8").splitlines())
    (folder / "models.yaml").write_text(text)
    read = load(folder, repository=tmp_path, environ={}, platform="linux")
    models = priced(read, shipped_prices(), datetime(2026, 11, 21, tzinfo=UTC)).models
    assert [name for name, model in models.items() if model.price is None] == []
    assert {name for tool in tools.values() for name in tool.models} <= set(models)


def test_the_stanza_of_brief_is_that_of_the_configuration_that_init_writes(tmp_path: Path) -> None:
    init = load(resources.folder("config"), repository=tmp_path, environ={}, platform="linux").tools["brief"]
    assert shipped(tmp_path, "brief") == init


@pytest.mark.parametrize("name", NAMES)
def test_a_stanza_goes_into_a_file_as_it_is_written(name: str) -> None:
    file = resources.folder("templates") / "tools" / f"{name}.yaml"
    stanza = stanza_in(file.read_bytes(), name=name, path=file.name)
    assert stanza.lines[0].startswith("# ")
    written = file.read_text(encoding="utf-8")
    assert [line.strip() for line in stanza.lines] == [
        line.strip() for line in written.splitlines() if line != f"{name}:"
    ]
