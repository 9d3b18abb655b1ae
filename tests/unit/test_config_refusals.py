"""What a configuration cannot mean is refused: all of it at once, at its place, with what to write instead."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.config import ConfigRefused, load
from orchestrator.config.names import branch_fault, folder_fault
from orchestrator.core.problem import Problem, render
from orchestrator.core.settings import Settings
from orchestrator.errors import ConfigRefusedError

GOOD = {
    "agents": "agents:\n  writer:\n    preferred_tool: claude\n",
    "tools": "tools:\n  claude:\n    binary: claude\n    models: [big, small]\n",
    "models": "models:\n  big: {aliases: [large]}\n  small: {provider: acme}\n",
    "policies": "policies:\n  strict: {}\n",
}


def loaded(root: Path, **texts: str) -> Settings:
    folder = root / "config"
    folder.mkdir(exist_ok=True)
    for name, text in (GOOD | texts).items():
        (folder / f"{name}.yaml").write_text(text)
    return load(folder, repository=root, environ={}, platform="linux")


def problems_of(root: Path, **texts: str) -> tuple[Problem, ...]:
    try:
        loaded(root, **texts)
    except ConfigRefused as refused:
        return refused.problems
    return ()


def heads(root: Path, **texts: str) -> list[str]:
    """The first line of every problem."""
    return [render(problem).splitlines()[0] for problem in problems_of(root, **texts)]


def only(root: Path, **texts: str) -> str:
    found = heads(root, **texts)
    assert len(found) == 1, found
    return found[0]


def test_the_configuration_that_the_cases_are_made_of_is_good(tmp_path: Path) -> None:
    assert set(loaded(tmp_path).tools) == {"claude"}


AGENT_CASES = {
    "an unknown key": (
        "prefered_model: big",
        'prefered_model: unknown key "prefered_model"; did you mean preferred_model?',
    ),
    "an unknown key like no other": ("zzz: 1", 'zzz: unknown key "zzz"; known here: profile, aliases, manual'),
    "an unknown tool": ("preferred_tool: clade", 'preferred_tool: there is no tool "clade"; did you mean claude?'),
    "an unknown model": ("preferred_model: bigg", 'preferred_model: there is no model "bigg"; did you mean big?'),
    "an unknown policy": ("policy: strikt", 'policy: there is no policy "strikt"; did you mean strict?'),
    "a fallback to an unknown tool": (
        "fallback_chain: [claude, nope:big]",
        'fallback_chain[1]: there is no tool "nope"; known: claude',
    ),
    "a fallback without a model": (
        "fallback_chain: ['claude:']",
        'fallback_chain[0]: "claude:" is no tool; write tool',
    ),
    "a text for a list": ("aliases: scribe", 'aliases: "scribe" stands where a list is wanted; write [scribe]'),
    "yes for true": ("manual: yes", 'manual: "yes" stands where true or false is wanted; write true'),
    "a number for a text": ("aliases: [1]", "aliases[0]: 1 stands where a text is wanted; put the value in quotes"),
    "nothing for a list": ("aliases:", "aliases: nothing stands where a list is wanted"),
    "a profile that is not there": (
        "profile: a.md",
        'profile: there is no file "a.md"; paths are relative to the repository',
    ),
    "a profile outside": ("profile: ../a.md", 'profile: "../a.md" is not a path inside the repository: it leaves'),
    "a model that its tool does not list": (
        "{preferred_tool: other, preferred_model: big}",
        'preferred_model: the tool other does not list the model "big"; it lists tiny; add the model',
    ),
}


@pytest.mark.parametrize(("entry", "message"), AGENT_CASES.values(), ids=AGENT_CASES)
def test_an_agent_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    tools = GOOD["tools"]
    if "other" in entry:
        tools += "  other: {binary: o, models: [tiny]}\n"
    text = f"agents:\n  writer: {entry}\n" if entry.startswith("{") else f"agents:\n  writer:\n    {entry}\n"
    head = only(tmp_path, agents=text, tools=tools)
    assert head.startswith("config/agents.yaml:")
    assert f": agents.writer.{message}" in head


TOOL_CASES = {
    "no binary": ("timeout: 3m", '"binary" is missing; add e.g. `binary: claude`'),
    "a relative binary": ("binary: ./run.sh", 'binary: "./run.sh" is neither a name on PATH nor an absolute path'),
    "a binary that reads as an option": ("binary: -rf", 'binary: "-rf" is neither a name on PATH'),
    "a negative duration": ("{binary: x, timeout: -3}", "timeout: -3 is not a duration; use e.g. 90s, 10m"),
    "no duration": ('{binary: x, timeout: "soon"}', 'timeout: "soon" is not a duration; use e.g. 90s, 10m'),
    "a duration of nothing": ("{binary: x, timeout: 0s}", 'timeout: "0s" is no time at all; use e.g. 10m'),
    "a misspelt choice": (
        "{binary: x, workspace: worktre}",
        'workspace: "worktre" is not one of worktree, checkout, none; did you mean worktree?',
    ),
    "an unknown placeholder": (
        '{binary: x, command: ["{binary}", "--m={modelx}"]}',
        "command[1]: unknown placeholder {modelx}; did you mean {model}?",
    ),
    "a variable in a command": (
        '{binary: x, command: ["{binary}", "${HOME}/x"]}',
        'command[1]: "${HOME}/x" holds a variable; variables are filled in under `env` only',
    ),
    "a command that cannot be split": (
        '{binary: x, command: "{binary} \'open"}',
        "command: cannot be split into arguments: no closing quotation; write it as a list",
    ),
    "an empty command": ("{binary: x, command: []}", "command: the command is empty; write e.g."),
    "a number in a command": ('{binary: x, command: ["{binary}", 5]}', "command[1]: 5 stands where a text is wanted"),
    "a prompt that never arrives": (
        '{binary: x, command: ["{binary}"], prompt: file}',
        "prompt: prompt: file, but no element of the command holds {prompt_file}",
    ),
    "a prompt that would arrive twice": (
        '{binary: x, command: ["{binary}", "{prompt}"]}',
        "command: the command holds {prompt}, but the prompt goes by stdin; write `prompt: argument`",
    ),
    "an option by a name of ours": (
        "{binary: x, options: {model: big}}",
        "options.model: {model} is filled in by the program; choose another name",
    ),
    "a variable that is not closed": (
        '{binary: x, env: {A: "${B"}}',
        'env.A: "${B" holds a variable that cannot be read',
    ),
    "a number in the environment": ("{binary: x, env: {PORT: 8080}}", "env.PORT: 8080 stands where a text is wanted"),
    "a bad variable name": ('{binary: x, env: {"A-B": "1"}}', 'env.A-B: "A-B" is not a variable name'),
    "our own variable": (
        '{binary: x, env: {ORCHESTRATOR_X: "1"}}',
        "env.ORCHESTRATOR_X: ORCHESTRATOR_X is the program's",
    ),
    "our own variable passed": (
        "{binary: x, env_pass: [ORCHESTRATOR_X]}",
        "env_pass[0]: ORCHESTRATOR_X is the program's",
    ),
    "no process at all": ("{binary: x, max_parallel: 0}", "max_parallel: 0 is not a count; use a whole number of 1 or"),
    "a rate per second": (
        "{binary: x, rate_limit: {per_second: 1}}",
        'rate_limit.per_second: unknown key "per_second"',
    ),
    "a pointer to nothing known": (
        "{binary: x, output: {txt: /a, text: /b}}",
        'output.txt: unknown key "txt"; did you mean text?',
    ),
    "a pointer that is none": ("{binary: x, output: {text: result}}", 'output.text: "result" is not a JSON pointer'),
    "a pointer with a lone tilde": (
        "{binary: x, output: {text: /a~b}}",
        'output.text: "/a~b" is not a JSON pointer: ~ stands alone in it; write ~ as ~0 and / inside a name as ~1:',
    ),
    "a reader that there is not": (
        "{binary: x, output: claude-jsn}",
        'output: "claude-jsn" names no reader; did you mean claude-json?',
    ),
    "a mapping without the answer": ("{binary: x, output: {error: /e}}", 'output: "text" is missing; add `text:`'),
    "a counter that there is not": (
        "{binary: x, output: {text: /a, tokens: {inputs: /b}}}",
        'output.tokens.inputs: unknown key "inputs"; did you mean input?',
    ),
    "a shape that there is not": (
        "{binary: x, output: {text: /a, format: ndjson}}",
        'output.format: "ndjson" is not one of json, jsonl; did you mean json',
    ),
    "a counter said twice": (
        "{binary: x, output: {text: /a, tokens_input: /b, tokens: {input: /c}}}",
        "output.tokens_input: tokens_input and tokens.input say the same thing twice; keep tokens.input",
    ),
    "a limit that there is not": (
        "{binary: x, limits: {ouput: 1MiB}}",
        'limits.ouput: unknown key "ouput"; did you mean output?',
    ),
    "a size in a short form": (
        "{binary: x, limits: {memory: 64M}}",
        'limits.memory: "64M" is not a size; write 64MiB or 64MB',
    ),
    "a size without a unit that is none": (
        "{binary: x, limits: {kept: 1.5}}",
        "limits.kept: 1.5 is not a size; use e.g.",
    ),
    "no room at all": ("{binary: x, limits: {output: 0}}", 'limits.output: "0" is no room at all; use e.g. 64MiB'),
    "a silence that is no time": ("{binary: x, limits: {silence: 5}}", "limits.silence: 5 is not a duration"),
    "half a process": ("{binary: x, limits: {processes: 0}}", "limits.processes: 0 is not a count"),
    "a prompt that could be an option": (
        '{binary: x, prompt: argument, command: ["{binary}", "run", "{prompt}"]}',
        'command[2]: a prompt that begins with - would be read as an option here; put "--" before it, or write it as',
    ),
    "a version of a task": (
        '{binary: x, version_command: ["{binary}", "{model}"]}',
        "version_command[1]: unknown placeholder {model}; known: binary, python",
    ),
    "a version of another place": (
        "{binary: x, version_command: [./x, --version]}",
        'version_command[0]: "./x" is neither a name on PATH nor an absolute path; use e.g. ["{binary}", "--version"]',
    ),
    "an output that is a list": ("{binary: x, output: [text]}", "output: a list names no reader"),
    "another system": ("{binary: x, platforms: {bsd: y}}", 'platforms.bsd: unknown key "bsd"'),
}


@pytest.mark.parametrize(("entry", "message"), TOOL_CASES.values(), ids=TOOL_CASES)
def test_a_tool_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    text = f"  second: {entry}\n" if entry.startswith("{") else f"  second:\n    {entry}\n"
    head = only(tmp_path, tools=GOOD["tools"] + text)
    assert head.startswith("config/tools.yaml:")
    assert ": tools.second" in head
    assert message in head


POLICY_CASES = {
    "a limit of nothing": ("limits: [{period: day, max_usd: 0}]", "limits[0].max_usd: 0 is not above zero"),
    "a negative limit": ("limits: [{period: day, max_usd: -1}]", "limits[0].max_usd: -1 is not above zero"),
    "no number": ('limits: [{period: day, max_usd: "nan"}]', 'limits[0].max_usd: "nan" is not an amount of money'),
    "a slip of the hand": ("limits: [{period: day, max_usd: 1e308}]", "is more than a billion dollars"),
    "true for money": ("limits: [{period: day, max_usd: true}]", "limits[0].max_usd: true is not an amount of money"),
    "dust": ("limits: [{period: day, max_usd: 0.0000001}]", "is finer than a millionth of a dollar"),
    "no period": ("limits: [{max_usd: 1}]", 'limits[0]: "period" is missing; add `period:`'),
    "an unknown period": (
        "limits: [{period: dai, max_usd: 1}]",
        'limits[0].period: "dai" is not one of task, day, week, month, total; did you mean day?',
    ),
    "a scope to an unknown agent": (
        "limits: [{period: day, max_usd: 1, scope: {agent: writr}}]",
        'limits[0].scope.agent: there is no agent "writr"; did you mean writer?',
    ),
    "a scope to an unknown provider": (
        "limits: [{period: day, max_usd: 1, scope: {provider: acne}}]",
        'limits[0].scope.provider: there is no provider "acne"; did you mean acme?',
    ),
    "a percentage past 100": ("limits: [{period: day, max_usd: 1, threshold_percent: 120}]", "120 is not a percentage"),
    "an unknown zone": (
        "timezone: Europe/Brusels",
        "is not a time zone that this machine knows; did you mean Europe/Bru",
    ),
    "a zone that is a path": ("timezone: ../../etc/passwd", "timezone: "),
    "an unknown route": ("escalation: [claude:big, clade:big]", 'escalation[1]: there is no tool "clade"'),
    "an unknown cheap model": (
        "cost_optimization: {simple_task_threshold_tokens: 5, simple_task_models: [smalls]}",
        'cost_optimization.simple_task_models[0]: there is no model "smalls"; did you mean small?',
    ),
    "no cheap model": (
        "cost_optimization: {simple_task_threshold_tokens: 5, simple_task_models: []}",
        "cost_optimization.simple_task_models: the list is empty",
    ),
    "a choice that no task has": (
        "tasks_may_choose: [models]",
        'tasks_may_choose[0]: "models" is not one of tool, model',
    ),
    "an error that is not tried again": (
        "retries: {on: [denied]}",
        'retries.on[0]: "denied" is not one of rate_limited',
    ),
    "two spellings that contradict": (
        "{daily_budget_usd: 1, block_over_budget: false, limit: {type: hard}}",
        "limit.type: block_over_budget: false contradicts limit.type: hard; keep one of them",
    ),
    "a shape without a budget": ("limit: {type: hard}", "limit: there is no budget that it could shape"),
    "half a limit": ("limit: {max_usd: 3}", 'limit.max_usd: "max_usd" without "period" limits nothing'),
}


@pytest.mark.parametrize(("entry", "message"), POLICY_CASES.values(), ids=POLICY_CASES)
def test_a_policy_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    text = f"policies:\n  strict: {entry}\n" if entry.startswith("{") else f"policies:\n  strict:\n    {entry}\n"
    head = only(tmp_path, policies=text)
    assert head.startswith("config/policies.yaml:")
    assert ": policies.strict." in head
    assert message in head


@pytest.mark.parametrize(
    "entry", ['command: ["{binary}", "a\\0b"]', 'env: {A: "\\0"}', 'options: {a: "\\x00"}', 'binary: "x\\u0000"']
)
def test_a_character_that_no_program_can_be_given_is_refused_wherever_it_stands(tmp_path: Path, entry: str) -> None:
    head = only(tmp_path, tools=f"{GOOD['tools']}  second:\n    {entry}\n")
    assert "config/tools.yaml:6:" in head
    assert "holds a NUL character" in head


OTHER_CASES = {
    "a file to copy from elsewhere": (
        "policies",
        "workspaces: {copy: [../secret]}",
        'workspaces.copy[0]: "../secret" is not a path inside the repository: it leaves',
    ),
    "an unknown key of the worktrees": (
        "policies",
        "workspaces: {coppy: [a]}",
        'workspaces.coppy: unknown key "coppy"; did you mean copy?',
    ),
    "a relative folder for the worktrees": (
        "policies",
        "workspaces: {folder: trees}",
        'workspaces.folder: "trees" is not an absolute path; use e.g. /var/tmp/worktrees',
    ),
    "a base that git would not take": (
        "policies",
        "workspaces: {base: -x}",
        'workspaces.base: "-x" is not a branch name: it starts with a dash',
    ),
    "a set-up that does nothing": ("policies", "workspaces: {setup: []}", "workspaces.setup: the command is empty"),
    "a grace that is none": ("policies", "orphan_grace: 5", "orphan_grace: 5 is not a duration; use e.g. 90s"),
    "a price that is none": (
        "models",
        "models: {big: {price: fre}}",
        'models.big.price: "fre" is not a price; write `price: free`',
    ),
    "half a price": ("models", "models: {big: {price: {input_mtok: 1}}}", 'models.big.price: "output_mtok" is missing'),
    "a negative price": (
        "models",
        "models: {big: {price: {input_mtok: -1, output_mtok: 1}}}",
        "models.big.price.input_mtok: -1 is not a price",
    ),
    "an alias that is a name": (
        "models",
        "models: {big: {aliases: [small]}, small: {}}",
        '"small" already names small',
    ),
    "names that some disks cannot tell apart": (
        "agents",
        "agents: {Writer: {}, writer: {}}",
        "differ in capitals only",
    ),
    "a name that is a path": ("agents", "agents: {../x: {}}", 'agents.../x: "../x" is not a name'),
    "an alias that two agents have": (
        "agents",
        "agents: {a: {aliases: [x]}, b: {aliases: [X]}}",
        '"X" already names a',
    ),
    "an unknown section": ("policies", "check: {}", 'check: unknown key "check"; did you mean checks?'),
    "a section that is a list": (
        "agents",
        "agents: [writer]",
        "agents: a list stands where a mapping of names is wanted",
    ),
    "a file that is a list": ("agents", "- writer", "a list stands where a mapping is wanted; start with `agents:`"),
    "an empty file": ("tools", "", '"tools" is missing; add `tools:`'),
    "a branch that reads as an option": (
        "policies",
        "trail: {branch: '-x'}",
        'trail.branch: "-x" is not a branch name: it s',
    ),
    "a remote that is a command": ("policies", "trail: {remote: 'ext::sh -c x'}", "trail.remote: "),
    "an intake of no branch": ("policies", "intake: {paths: [tasks]}", 'intake: "branch" is missing; add `branch:`'),
    "an intake of no path": ("policies", "intake: {branch: main, paths: []}", "intake.paths: the list is empty"),
    "an intake from outside": ("policies", "intake: {branch: main, paths: [/etc]}", "intake.paths[0]: "),
    "an intake of the trail itself": (
        "policies",
        "intake: {branch: orchestrator/work, paths: [x]}",
        "intake.branch: the trail writes to orchestrator/work itself",
    ),
    "a check without a command": ("policies", "checks: {tests: {timeout: 3m}}", 'checks.tests: "command" is missing'),
    "an archive after nothing": ("policies", "retention: {archive_after: 0d}", "retention.archive_after: "),
    "a key twice": ("tools", "tools:\n  claude: {binary: x}\n  claude: {binary: y}\n", "config/tools.yaml:3:3: "),
    "no YAML": ("tools", "tools: [", "config/tools.yaml:"),
}


@pytest.mark.parametrize(("name", "text", "message"), OTHER_CASES.values(), ids=OTHER_CASES)
def test_a_file_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    head = only(tmp_path, **{name: text})
    assert head.startswith(f"config/{name}.yaml")
    assert message in head


def test_a_finding_shows_place_line_caret_and_fix(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused) as refused:
        loaded(tmp_path, tools="tools:\n  claude:\n    binary: x\n    timeout: -3\n")
    assert isinstance(refused.value, ConfigRefusedError)
    assert refused.value.exit_code == 78
    assert str(refused.value) == (
        "config/tools.yaml:4:14: tools.claude.timeout: -3 is not a duration; use e.g. 90s, 10m, 2h or 30d\n"
        "    4 |     timeout: -3\n"
        "      |              ^^"
    )


def test_all_problems_of_all_files_are_shown_at_once_in_the_order_of_the_files(tmp_path: Path) -> None:
    found = heads(
        tmp_path,
        agents="agents:\n  writer:\n    preferred_tool: clade\n    prefered_model: big\n  a b: {}\n",
        tools="tools:\n  claude:\n    command: ['{binary}', '{mdl}']\n    binary: ./x\n    timeout: -3\n",
        models="models: {m: {price: {input_mtok: x, output_mtok: 1}}}\n",
        policies="policies:\n  p:\n    timezone: Mars\n    escalation: [nope]\nretention: {archive_after: -1d}\n",
    )
    assert [head.split(": ")[0:2] for head in found] == [
        ["config/agents.yaml:3:21", "agents.writer.preferred_tool"],
        ["config/agents.yaml:4:5", "agents.writer.prefered_model"],
        ["config/agents.yaml:5:3", "agents.a b"],
        ["config/models.yaml:1:34", "models.m.price.input_mtok"],
        ["config/policies.yaml:3:15", "policies.p.timezone"],
        ["config/policies.yaml:4:18", "policies.p.escalation[0]"],
        ["config/policies.yaml:5:28", "retention.archive_after"],
        ["config/tools.yaml:3:27", "tools.claude.command[1]"],
        ["config/tools.yaml:4:13", "tools.claude.binary"],
        ["config/tools.yaml:5:14", "tools.claude.timeout"],
    ]


def test_a_file_that_cannot_be_read_brings_no_complaints_about_names_in_it(tmp_path: Path) -> None:
    agents = "agents: {writer: {preferred_tool: other, preferred_model: huge, policy: lax}}"
    assert only(tmp_path, agents=agents, tools="tools: [", policies="policies: {lax: {}}").startswith(
        "config/tools.yaml:1:"
    )


def test_a_list_of_models_that_does_not_fit_brings_no_complaints_about_models(tmp_path: Path) -> None:
    agents = "agents: {writer: {preferred_tool: claude, preferred_model: huge}}"
    tools = "tools: {claude: {binary: x, models: huge}}"
    assert only(tmp_path, agents=agents, tools=tools).startswith("config/tools.yaml:1:")


def test_missing_files_are_named_with_the_command_that_makes_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused) as refused:
        load(tmp_path / "config", repository=tmp_path, environ={}, platform="linux")
    assert str(refused.value) == (
        "config/agents.yaml: the file is missing; make it with: orchestrator init\n"
        "config/tools.yaml: the file is missing; make it with: orchestrator init"
    )


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    loaded(tmp_path)
    (tmp_path / "config/models.yaml").unlink()
    (tmp_path / "config/models.yaml").mkdir()
    with pytest.raises(ConfigRefused, match=r"config/models\.yaml: cannot be read: Is a directory"):
        load(tmp_path / "config", repository=tmp_path, environ={}, platform="linux")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    loaded(tmp_path)
    (tmp_path / "config/tools.yaml").chmod(0)
    with pytest.raises(ConfigRefused, match=r"config/tools\.yaml: cannot be read: Permission denied"):
        load(tmp_path / "config", repository=tmp_path, environ={}, platform="linux")


def test_a_profile_whose_front_matter_is_broken_is_shown_at_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "w.agent.md").write_text("---\nname: Ann\nname: Bob\n---\nBody\n")
    head = only(tmp_path, agents="agents: {writer: {profile: w.agent.md}}")
    assert head.startswith("w.agent.md:3:1: ")


@pytest.mark.parametrize(
    "profile", ["", "# Just Markdown\n", "---\nnever: closed\n", "---\n---\nBody\n", "---\nname:\n---\n"]
)
def test_a_profile_without_a_name_is_fine(tmp_path: Path, profile: str) -> None:
    (tmp_path / "w.agent.md").write_text(profile)
    settings = loaded(tmp_path, agents="agents: {writer: {profile: w.agent.md}}")
    assert [agent.profile_name for agent in settings.agents.values()] == [""]


_WORDS = st.sampled_from(
    [
        "agents",
        "tools",
        "policies",
        "default",
        "claude",
        "limits",
        "command",
        "env",
        "1",
        "-3",
        "true",
        "null",
        "'x'",
        '"{a}"',
    ]
)
_YAML = st.recursive(
    _WORDS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(_WORDS, inner, max_size=3).map(
            lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"
        ),
    ),
    max_leaves=8,
)
_ENTRIES = st.sampled_from(
    [
        ("agents", "agents: {{writer: {{{}: {}}}}}", ["aliases", "profile", "manual", "fallback_chain", "task_types"]),
        (
            "tools",
            "tools: {{claude: {{binary: x, {}: {}}}}}",
            ["command", "env", "output", "models", "options", "platforms", "limits", "version_command", "install"],
        ),
        ("models", "models: {{big: {{{}: {}}}}}", ["price", "aliases", "provider", "cost_per_1k_tokens"]),
        ("policies", "policies: {{strict: {{{}: {}}}}}", ["limits", "limit", "retries", "escalation", "timezone"]),
        ("policies", "{}: {}", ["trail", "intake", "retention", "checks", "policies", "workspaces", "orphan_grace"]),
    ]
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entry=_ENTRIES, value=_YAML, data=st.data())
def test_whatever_stands_anywhere_is_taken_or_refused_in_words(
    tmp_path: Path, entry: tuple[str, str, list[str]], value: str, data: st.DataObject
) -> None:
    name, frame, keys = entry
    text = frame.format(data.draw(st.sampled_from(keys)), value)
    for problem in problems_of(tmp_path, **{name: text}):
        assert problem.path.startswith("config/")
        assert problem.message
        assert "Input should" not in render(problem), text  # pydantic's words are for programmers


NO_PATHS = ["", " ", "/a", "~/a", "C:/a", "../a", "a/../b", "a/..", "./a", ".", "a//b", "-a", ":(top)a", ".git"]
NO_PATHS += ["a/.GIT/b", "a\\b", "a*", "a?", "[a]", "a\x00b", "a\nb", "x" * 1001]
BRANCHES = ["main", "orchestrator/work", "a.b", "feature/x-1", "ümlaut", "a@b"]
NO_BRANCHES = ["", "-x", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "/a", "a/", "a//b", ".a", "a/.b"]
NO_BRANCHES += ["a.lock", "a.lock/b", "a.", "a@{1", "@", "HEAD", "refs/heads/x", "a\nb", "a\x7fb", "x" * 201]


@pytest.mark.parametrize("name", BRANCHES)
def test_a_branch_name_is_taken(name: str) -> None:
    assert branch_fault(name) == ""


@pytest.mark.parametrize("name", NO_BRANCHES, ids=repr)
def test_a_branch_name_is_refused(name: str) -> None:
    assert branch_fault(name)


@pytest.mark.parametrize("path", ["tasks", "tasks/", "a/b.c", "with space/x", ".github/x"])
def test_a_path_of_the_repository_is_taken(path: str) -> None:
    assert folder_fault(path) == ""


@pytest.mark.parametrize(
    "path",
    NO_PATHS,
    ids=repr,
)
def test_a_path_that_is_none_of_the_repository_is_refused(path: str) -> None:
    assert folder_fault(path)
