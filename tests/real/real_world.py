"""A repository whose agents are the real claude and codex, by the stanzas of the catalogue, on a model API of ours."""

import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from situations import Workspace, git, make_repository

from orchestrator.conformance.model_api import ModelApi
from orchestrator.conformance.pointing import Family, point
from orchestrator.core.invocation import INVOCATION_MARK, WORKSPACE_MARK

CATALOGUE = Path(__file__).resolve().parents[2] / "templates" / "tools"
POLICIES = """\
policies:
  default: {max_parallel: 4, unpriced: allow, tasks_may_choose: [model, timeout], retries: {max: 0}, privacy: full}
"""
MODELS = {"claude": "claude-sonnet-5-5", "codex": "gpt-6.1-sol"}
WAITS = "tail -f /dev/null"  # a command that never ends


class Shop(Workspace):
    """An agent for each tool, named as it is; tasks are scripts for the model API."""

    def __init__(self, root: Path, binaries: Path) -> None:
        """The binaries are found on the PATH of the daemon, and nothing else of them is."""
        super().__init__(make_repository(root))
        self.api = ModelApi()
        self.home = root.with_name("home")
        self.home.mkdir()
        self.env["PATH"] = f"{binaries}{os.pathsep}{os.environ['PATH']}"
        self._stanzas: dict[str, dict[str, Any]] = {name: _stanza(name) for name in MODELS}
        for family in (Family.CLAUDE, Family.CODEX):
            self._point(family)

    def open(self, **options: Mapping[str, object]) -> "Shop":
        """Configures it, with these options of tools otherwise than in the catalogue, and makes it a workspace."""
        for name, changed in options.items():
            self._stanzas[name].setdefault("options", {}).update(changed)
        self.configure(policies=POLICIES)
        self.well("init")
        return self

    def configure(
        self, *, agents: str = "", policies: str = POLICIES, prices: Mapping[str, object] | None = None
    ) -> None:
        """Writes the four files. Models without a price here are free."""
        self.config.mkdir(exist_ok=True)
        own = {name: {"preferred_tool": name, "preferred_model": model} for name, model in MODELS.items()}
        models = {
            model: {"price": (prices or {}).get(model, "free")}
            for stanza in self._stanzas.values()
            for model in stanza["models"]
        }
        (self.config / "agents.yaml").write_text(agents or yaml.safe_dump({"agents": own}))
        (self.config / "models.yaml").write_text(yaml.safe_dump({"models": models}))
        (self.config / "policies.yaml").write_text(policies)
        (self.config / "tools.yaml").write_text(yaml.safe_dump({"tools": self._stanzas}))

    def ask(self, task: str, tool: str, *script: str, **fields: str) -> str:
        """Drops a task for that tool, whose text holds the script; its id."""
        lines = "".join(f"  {line}\n" for line in ("Please do what follows.", *script))
        return self.drop(task, agent=tool, description=f"|\n{lines.rstrip()}", **fields)

    def until_idle(self) -> "Shop":
        """Runs the daemon until there is nothing to do."""
        self.daemon("--until-idle")
        return self

    # --- what came of it ---

    def task(self, task: str) -> Any:
        """Its file."""
        (place,) = self.where(task)
        return yaml.safe_load((self.work / "collaboration" / place).read_text())

    def events(self, task: str) -> list[Any]:
        """Its events, oldest first."""
        (file,) = self.work.rglob(f"{task}.jsonl")
        return [json.loads(line) for line in file.read_text().splitlines()]

    def log(self, task: str) -> str:
        """Its work log, which holds the answer."""
        (file,) = (self.work / "reports").rglob(f"{task}.md")
        return file.read_text()

    def runs_of(self, task: str) -> int:
        """How often a tool was started for it."""
        return sum(event["event"] == "execution_started" for event in self.events(task))

    def on_branch(self, task: str, path: str) -> str:
        """What a file holds on the branch of a task."""
        return git(self.root, "show", f"task/{task}:{path}")

    def processes(self) -> dict[int, str]:
        """The commands of every process that carries this workspace's mark: tools, and what they started."""
        mark = f"{WORKSPACE_MARK}={self.state_folder}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    marks = (entry / "environ").read_bytes().split(b"\0")
                    if mark in marks and any(name.startswith(f"{INVOCATION_MARK}=".encode()) for name in marks):
                        found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
                except OSError:
                    continue  # it ended meanwhile, or is not ours
        return found

    def wait_for_command(self, command: str) -> None:
        """Until a tool is in the middle of that command."""
        self.wait_until(lambda: any(line.startswith(command) for line in self.processes().values()), f"{command} runs")

    def kill_daemon(self) -> None:
        """kill -9."""
        self.signal(signal.SIGKILL)
        assert self.wait_for_end() == -signal.SIGKILL

    def is_left_clean(self) -> None:
        """Nothing of a tool is left, nothing but loopback was asked, the checkout is as it was, all is well."""
        self.wait_until(lambda: not self.processes(), f"no process of a tool is left: {self.processes()}", 5)
        assert self.api.strayed == []
        assert self.api.troubles == []
        assert all(request.has_key for request in self.api.requests if request.method == "POST")
        assert git(self.root, "status", "--porcelain", "--untracked-files=no") == ""
        self.is_well()

    def end(self) -> None:
        """Everything ends, when a test broke off too."""
        self.close()
        for pid in self.processes():
            os.kill(pid, signal.SIGKILL)
        self.api.close()

    def _point(self, family: Family) -> None:
        pointed = point(family, self.api.url, str(self.home), MODELS[family.value])
        for name, text in pointed.files.items():
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            (self.home / name).write_text(text)
        settings = self.home / "claude" / "settings.json"  # as a person allows commands once and for all
        settings.parent.mkdir(exist_ok=True)
        settings.write_text(json.dumps({"permissions": {"allow": ["Bash"]}}))
        self.env |= {name: value for name, value in pointed.env.items() if not name.startswith("XDG_")}


def _stanza(name: str) -> dict[str, Any]:
    stanza: dict[str, Any] = yaml.safe_load((CATALOGUE / f"{name}.yaml").read_text())[name]
    return stanza
