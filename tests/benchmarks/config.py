"""`config validate` of a large configuration, whole process, next to `python -c pass` in the same run.

    python tests/benchmarks/config.py [--agents 1000] [--models 500] [--times 20]

Aim: 1,000 agents and 500 models within 300 ms of `python -c pass`. The same is printed for 1,000 profiles beside them,
which are 1,000 more files, and for the configuration that `init` makes.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from ground import PROGRAM, compiled, environment, percentile, verdict

AIM_MS = 300.0
_TOOLS = 5
_TOOL = """\
  tool-{n}:
    binary: "true"
    command: ["{{binary}}", --model, "{{model}}", --json]
    models: [{models}]
    capabilities: [edits_files]
    workspace: worktree
    timeout: 20m
"""
_MODEL = """\
  model-{n}:
    provider: maker-{maker}
    price: {{input_mtok: 2, output_mtok: 10, cache_read_mtok: 0.2, cache_write_mtok: 2.5}}
    context_window: 200000
    task_suitability: [coding, editing]
    aliases: [m{n}]
"""
_AGENT = """\
  agent-{n}:
    aliases: [a{n}, helper-{n}]
{profile}    preferred_tool: tool-{tool}
    preferred_model: model-{first}
    fallback_chain: ["tool-{tool}:model-{second}", "tool-{next}:model-{third}"]
    task_types: {{coding: model-{first}, review: model-{second}}}
    policy: policy-{policy}
"""
_POLICY = """\
  policy-{n}:
    limits:
      - {{period: day, max_usd: 10, type: hard, threshold_percent: 80}}
      - {{period: month, max_usd: 200, type: soft}}
      - {{period: day, max_usd: 4, scope: {{agent: agent-{n}}}}}
    escalation: ["tool-0:model-0", "tool-0:model-5"]
"""
_PROFILE = """\
---
name: Agent Number {n}
description: One of many, with a description of the usual length for a profile of this kind.
tools: [read, write, search, edit]
---

# Agent {n}

You are one of many. Do what is asked.
"""


def write(root: Path, agents: int, models: int, *, profiles: bool) -> None:
    """The configuration: every reference leads somewhere, as one that was in use would have it."""
    config = root / "config"
    config.mkdir(parents=True, exist_ok=True)
    lists = [", ".join(f"model-{m}" for m in range(models) if m % _TOOLS == n) for n in range(_TOOLS)]
    tools = "".join(_TOOL.format(n=n, models=lists[n]) for n in range(_TOOLS))
    per_tool = models // _TOOLS
    text = ["agents:\n"]
    for n in range(agents):
        tool, other = n % _TOOLS, (n + 1) % _TOOLS
        text.append(
            _AGENT.format(
                n=n,
                profile=f"    profile: profiles/agent-{n}.agent.md\n" if profiles else "",
                tool=tool,
                next=other,
                first=tool + _TOOLS * (n % per_tool),
                second=tool + _TOOLS * ((n + 1) % per_tool),
                third=other + _TOOLS * (n % per_tool),
                policy=n % 10,
            )
        )
        if profiles:
            file = root / "profiles" / f"agent-{n}.agent.md"
            file.parent.mkdir(exist_ok=True)
            file.write_text(_PROFILE.format(n=n))
    (config / "agents.yaml").write_text("".join(text))
    (config / "tools.yaml").write_text("tools:\n" + tools)
    (config / "models.yaml").write_text("models:\n" + "".join(_MODEL.format(n=n, maker=n % 7) for n in range(models)))
    (config / "policies.yaml").write_text("policies:\n" + "".join(_POLICY.format(n=n) for n in range(10)))


def run(argv: Sequence[str], root: Path, says: bytes) -> tuple[float, float]:
    """Milliseconds by the clock and of the processor; it must do what it is to do."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(argv, cwd=root, env=environment(), capture_output=True, check=False)
    took, after = (time.perf_counter() - began) * 1000, resource.getrusage(resource.RUSAGE_CHILDREN)
    worked = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000
    if ended.returncode or says not in ended.stdout:
        raise SystemExit(f"{argv}: exit {ended.returncode}: {ended.stdout + ended.stderr!r:.2000}")
    return took, worked


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--models", type=int, default=500)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    compiled()
    script = Path(sys.executable).with_name("orchestrator")
    program = (str(script),) if script.exists() else PROGRAM
    with tempfile.TemporaryDirectory(prefix="orchestrator-bench-") as temporary:
        top = Path(temporary)
        size = f"{options.agents:,} agents, {options.models:,} models"
        cases = {"python -c pass": (top, (sys.executable, "-c", "pass"), b"")}
        for name, agents, models, profiles in (
            ("12 agents, 10 models", 12, 10, False),
            (size, options.agents, options.models, False),
            (f"{size}, a profile each", options.agents, options.models, True),
        ):
            root = top / str(len(cases))
            root.mkdir()
            subprocess.run(["git", "init", "--quiet"], cwd=root, check=True, env=environment())
            write(root, agents, models, profiles=profiles)
            cases[name] = (root, (*program, "config", "validate"), b"Configuration valid")
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in cases}
        for number in range(options.times + 2):
            for name, (root, argv, says) in cases.items():
                one = run(argv, root, says)
                if number >= 2:
                    took[name].append(one)
    nothing, idle = (percentile([one[n] for one in took["python -c pass"]], 50) for n in (0, 1))
    print(f"config validate, {options.times} times each, medians; python -c pass: {nothing:.1f} ms")
    for name, times in list(took.items())[1:]:
        half, worked = (percentile([one[n] for one in times], 50) for n in (0, 1))
        over = half - nothing
        aim = f" (aim {AIM_MS:.0f} over: {verdict(over, AIM_MS)})" if name == size else ""
        ratio, busy = half / nothing, worked - idle
        print(
            f"  {name:<42} {half:>6.1f} ms, {over:>6.1f} over, {ratio:>5.1f} times it, processor {busy:.0f} over{aim}"
        )


if __name__ == "__main__":
    main()
