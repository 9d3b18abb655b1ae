"""`config validate` finds everything at once, and tells what is wrong from what is only odd."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.adapters.place import find
from orchestrator.core.problem import Problem, render
from orchestrator.wiring.validating import Validated, validate

GOOD = {
    "agents": "agents:\n  writer: {preferred_tool: claude, preferred_model: big}\n",
    "tools": "tools:\n  claude: {binary: claude, models: [big, small]}\n",
    "models": "models:\n  big: {aliases: [large]}\n  small: {provider: acme}\n",
    "policies": "policies:\n  default: {}\n",
}


def validated(root: Path, *, instead: dict[str, bytes] | None = None, **texts: str) -> Validated:
    config = root / "config"
    config.mkdir(exist_ok=True)
    for name, text in (GOOD | texts).items():
        (config / f"{name}.yaml").write_text(text)
    return validate(find(root, use_git=False), instead=instead)


def heads(problems: tuple[Problem, ...]) -> list[str]:
    """The first line of each."""
    return [render(problem).splitlines()[0] for problem in problems]


def test_a_good_configuration_has_neither_problems_nor_warnings_and_is_counted(tmp_path: Path) -> None:
    found = validated(tmp_path, policies="policies:\n  default: {}\nchecks:\n  t: {command: [pytest]}\n")
    assert (found.problems, found.warnings, found.is_good) == ((), (), True)
    assert found.counts == {
        "files": 4, "agents": 1, "tools": 1, "models": 2, "policies": 1, "checks": 1, "profiles": 0,
    }  # fmt: skip


def test_all_problems_of_all_files_are_found_at_once_by_file_and_line(tmp_path: Path) -> None:
    found = validated(
        tmp_path,
        agents="agents:\n  writer:\n    preferred_tool: clade\n    polic: x\n",
        tools="tools:\n  claude: {binary: claude, timeout: 3}\n",
        policies="policies:\n  p: {escalation: [nope]}\n",
    )
    assert [(one.path, one.line) for one in found.problems] == [
        ("config/agents.yaml", 3),
        ("config/agents.yaml", 4),
        ("config/policies.yaml", 2),
        ("config/tools.yaml", 2),
    ]
    assert not found.is_good


def test_what_is_given_instead_is_read_instead_and_the_files_are_left_alone(tmp_path: Path) -> None:
    assert validated(tmp_path).is_good
    staged = {"agents.yaml": b"agents:\n  writer: {preferred_tool: nope}\n"}
    assert [one.key for one in validated(tmp_path, instead=staged).problems] == ["agents.writer.preferred_tool"]


def test_missing_files_are_named_with_the_command_that_makes_them(tmp_path: Path) -> None:
    found = validate(find(tmp_path, use_git=False))
    assert heads(found.problems) == [
        "config/agents.yaml: the file is missing; make it with: orchestrator init",
        "config/tools.yaml: the file is missing; make it with: orchestrator init",
    ]
    assert found.counts["files"] == 0


def test_a_profile_that_two_agents_name_is_refused_once(tmp_path: Path) -> None:
    (tmp_path / "p.agent.md").write_text("---\nname: [a]\n---\nBody\n")
    agents = "agents:\n  a: {profile: p.agent.md, preferred_tool: claude}\n  b: {profile: p.agent.md, manual: true}\n"
    found = validated(tmp_path, agents=agents)
    assert heads(found.problems) == [
        "p.agent.md:2:7: name: a list stands where a text is wanted; put it in quotes",
    ]
    assert found.counts["profiles"] == 1


def test_no_known_name_is_told_twice(tmp_path: Path) -> None:
    found = validated(tmp_path, agents="agents:\n  writer: {preferred_tool: claude, policy: zzz}\n")
    assert heads(found.problems)[0].endswith('there is no policy "zzz"; known: default')


WRONG = {
    "a model of a task type that the tool does not list": (
        {
            "agents": "agents:\n  a: {preferred_tool: claude, task_types: {coding: gpt}}\n",
            "models": "models:\n  big: {}\n  gpt: {}\n",
        },
        'agents.a.task_types.coding: the tool claude does not list the model "gpt"; it lists big, small',
    ),
    "two amounts for one limit": (
        {"policies": "policies:\n  p:\n    limits: [{period: day, max_usd: 5}, {period: day, max_usd: 7.5}]\n"},
        "policies.p.limits[1].max_usd: 7.5 contradicts the hard limit of 5 USD a day; keep one of the two",
    ),
    "two amounts in two spellings": (
        {"policies": "policies:\n  p:\n    limits: [{period: day, max_usd: 5}]\n    daily_budget_usd: 4\n"},
        "policies.p.daily_budget_usd: 4 contradicts the hard limit of 5 USD a day",
    ),
    "two amounts for one tool": (
        {
            "policies": "policies:\n  p:\n    limits:\n"
            "      - {period: day, max_usd: 5, scope: {tool: claude}}\n"
            "      - {period: day, max_usd: 4, scope: {tool: claude}}\n"
        },
        "policies.p.limits[1].max_usd: 4 contradicts the hard limit of 5 USD a day, for tool claude",
    ),
    "a check without a program": (
        {"policies": "checks:\n  t: {command: ['', x]}\n"},
        "checks.t.command: the command names no program",
    ),
    "a check that waits for a placeholder": (
        {"policies": "checks:\n  t: {command: ['{binary}']}\n"},
        'checks.t.command: "{binary}" is filled in for tools only; name the program',
    ),
    "a tool without a program": (
        {"tools": "tools:\n  claude: {command: ['  '], models: [big, small]}\n"},
        "tools.claude.command: the command names no program",
    ),
}


@pytest.mark.parametrize(("texts", "message"), WRONG.values(), ids=WRONG)
def test_what_contradicts_itself_is_refused(tmp_path: Path, texts: dict[str, str], message: str) -> None:
    found = heads(validated(tmp_path, **texts).problems)
    assert len(found) == 1, found
    assert message in found[0]


APART = {
    "another period": "[{period: day, max_usd: 5}, {period: week, max_usd: 7}]",
    "another kind": "[{period: day, max_usd: 5}, {period: day, max_usd: 4, type: soft}]",
    "another scope": "[{period: day, max_usd: 5}, {period: day, max_usd: 4, scope: {tool: claude}}]",
}


@pytest.mark.parametrize("limits", APART.values(), ids=APART)
def test_limits_on_other_money_do_not_contradict(tmp_path: Path, limits: str) -> None:
    found = validated(tmp_path, policies=f"policies:\n  default:\n    limits: {limits}\n")
    assert (found.problems, found.warnings) == ((), ())


# --- what is only odd ----------------------------------------------------------------------------------------------

_AGENTS = "agents:\n  writer: {preferred_tool: claude, preferred_model: big}\n"
ODD = {
    "a policy that nobody uses": (
        {"policies": "policies:\n  default: {}\n  spare: {}\n"},
        "config/policies.yaml:3:3: policies.spare: no agent uses it; write `policy: spare` at an agent",
    ),
    "a model that no tool lists": (
        {"models": "models:\n  big: {}\n  small: {}\n  spare: {}\n"},
        "config/models.yaml:4:3: models.spare: no tool lists it: nothing runs on it",
    ),
    "a tool that nobody reaches": (
        {"tools": GOOD["tools"] + "  spare: {binary: spare, models: [big]}\n"},
        "config/tools.yaml:3:3: tools.spare: no agent uses it: only `orchestrator exec --tool` reaches it",
    ),
    "a model twice by two names": (
        {"tools": "tools:\n  claude: {binary: claude, models: [big, small, large]}\n"},
        "tools.claude.models[2]: large is in the list twice",
    ),
    "an agent that nothing does the tasks of": (
        {"agents": _AGENTS + "  idle: {}\n"},
        "agents.idle: nothing can do the tasks of idle: it names no tool; add `preferred_tool:`, or `manual: true`",
    ),
    "a person with a tool": (
        {"agents": _AGENTS + "  me: {manual: true, preferred_tool: claude}\n"},
        "agents.me: me is a person's role (`manual: true`): no tool is ever started for it",
    ),
    "a model for no tool": (
        {"agents": _AGENTS + "  b: {fallback_chain: [claude], preferred_model: big}\n"},
        "agents.b.preferred_model: it is what the preferred tool is given, and there is none",
    ),
    "a chain that names what it falls back from": (
        {"agents": _AGENTS.replace("}", ", fallback_chain: ['claude:large']}")},
        "agents.writer.fallback_chain[0]: claude:large is what it falls back from: it is tried once",
    ),
    "a chain that names one twice": (
        {"policies": "policies:\n  default: {escalation: [claude:small, claude:big, claude:small]}\n"},
        "escalation[2]: claude:small is there already, at escalation[0]",
    ),
    "a cheap model that no tool lists": (
        {
            "models": "models:\n  big: {}\n  small: {}\n  tiny: {}\n",
            "tools": GOOD["tools"] + "  any: {binary: any}\n",
            "agents": _AGENTS + "  b: {preferred_tool: any}\n",
            "policies": "policies:\n  default:\n    cost_optimization:\n"
            "      {simple_task_threshold_tokens: 9, simple_task_models: [tiny]}\n",
        },
        "simple_task_models[0]: no tool lists tiny: small tasks never run on it",
    ),
    "a provider that no model names": (
        {
            "policies": "providers:\n  acne: {per_hour: 1}\n",
            "models": "models: {big: {provider: acme}, small: {provider: b}}\n",
        },
        "providers.acne: no model names this provider; known: acme, b",
    ),
    "the same limit twice": (
        {"policies": "policies:\n  default:\n    limits: [{period: day, max_usd: 5}, {period: day, max_usd: 5}]\n"},
        "limits[1].max_usd: the hard limit of 5 USD a day is there twice",
    ),
    "a limit for a task above that of a day": (
        {"policies": "policies:\n  default:\n    limits: [{period: day, max_usd: 1}, {period: task, max_usd: 2}]\n"},
        "limits[1].max_usd: each run holds 2 USD, more than the hard limit of 1 USD a day: what costs money never",
    ),
    "a limit that another one goes before": (
        {"policies": "policies:\n  default:\n    limits: [{period: day, max_usd: 50}, {period: month, max_usd: 20}]\n"},
        "limits[0].max_usd: 50 is never reached: the hard limit of 20 USD a month stops before",
    ),
    "a soft limit at a hard one": (
        {
            "policies": "policies:\n  default:\n"
            "    limits: [{period: day, max_usd: 5}, {period: day, max_usd: 5, type: soft}]\n"
        },
        "limits[1].max_usd: the soft limit of 5 USD a day says nothing",
    ),
    "a limit below what a run is taken to cost": (
        {"policies": "policies:\n  default:\n    limits: [{period: day, max_usd: 0.2}]\n"},
        "limits[0].max_usd: 0.2 is less than that: a run of which nothing is known is taken to cost 0.5 USD",
    ),
    "a reason that nobody is asked for": (
        {"policies": "policies:\n  default: {limits: [{period: task, max_usd: 2}], justification_over_usd: 3}\n"},
        "justification_over_usd: nobody is ever asked for a reason",
    ),
    "a variable that is not set": (
        {"tools": 'tools:\n  claude: {binary: c, models: [big, small], env: {A: "${NO_SUCH_KEY}"}}\n'},
        "tools.claude.env.A: NO_SUCH_KEY is not set here; without it the tool claude is not available; set it where",
    ),
    "a required variable that is not set": (
        {"tools": "tools:\n  claude: {binary: c, models: [big, small], env_required: [NO_SUCH_KEY]}\n"},
        "tools.claude.env_required[0]: NO_SUCH_KEY is not set here",
    ),
}


@pytest.mark.parametrize(("texts", "message"), ODD.values(), ids=ODD)
def test_what_is_odd_is_a_warning_and_leaves_it_good(tmp_path: Path, texts: dict[str, str], message: str) -> None:
    found = validated(tmp_path, **texts)
    assert found.is_good, heads(found.problems)
    told = heads(found.warnings)
    assert len(told) == 1, told
    assert message in told[0]


USED = {
    "a policy that lets tasks choose the tool": {
        "tools": GOOD["tools"] + "  spare: {binary: spare, models: [big]}\n",
        "policies": "policies:\n  default: {tasks_may_choose: [tool]}\n",
    },
    "an escalation that names the tool": {
        "tools": GOOD["tools"] + "  spare: {binary: spare, models: [big]}\n",
        "policies": "policies:\n  default: {escalation: [spare]}\n",
    },
    "a tool that lists no models may run any": {
        "tools": "tools:\n  claude: {binary: claude}\n",
        "models": "models:\n  big: {}\n  spare: {}\n",
    },
    "a variable with a default": {
        "tools": 'tools:\n  claude: {binary: c, models: [big, small], env: {A: "${NO_SUCH_KEY:-x}"}}\n',
    },
    "a model without a provider may be of any": {
        "policies": "providers:\n  acne: {per_hour: 1}\n",
    },
    "a soft limit below a hard one": {
        "policies": "policies:\n  default:\n"
        "    limits: [{period: day, max_usd: 5}, {period: day, max_usd: 4, type: soft}]\n",
    },
}  # fmt: skip


@pytest.mark.parametrize("texts", USED.values(), ids=USED)
def test_what_may_be_meant_is_not_warned_of(tmp_path: Path, texts: dict[str, str]) -> None:
    found = validated(tmp_path, **texts)
    assert (heads(found.problems), heads(found.warnings)) == ([], [])


def test_where_a_name_is_misspelt_nothing_is_called_unused(tmp_path: Path) -> None:
    found = validated(tmp_path, agents="agents:\n  writer: {preferred_tool: clade}\n")
    assert len(found.problems) == 1
    assert found.warnings == ()


def test_what_the_users_own_files_have_for_other_projects_is_not_called_unused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    (own / "orchestrator").mkdir(parents=True)
    (own / "orchestrator" / "tools.yaml").write_text(
        'tools:\n  mine: {binary: mine, models: [big], env: {A: "${NO_SUCH_KEY}"}}\n'
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(own))
    found = validated(tmp_path)
    assert found.counts["tools"] == 2
    assert [one.key for one in found.warnings] == ["tools.mine.env.A"]


# --- names of agents -----------------------------------------------------------------------------------------------


def named(root: Path, agents: str, **profiles: str) -> list[str]:
    """The warnings for agents whose profiles have these names."""
    (root / "p").mkdir()
    for stem, name in profiles.items():
        (root / "p" / f"{stem}.agent.md").write_text(f"---\nname: {name}\ndescription: d\n---\nBody\n")
    found = validated(root, agents=agents.replace("T", "preferred_tool: claude"))
    assert found.is_good, heads(found.problems)
    return heads(found.warnings)


def test_a_profile_called_as_another_agent_is_told(tmp_path: Path) -> None:
    (told,) = named(tmp_path, "agents:\n  a: {T, profile: p/x.agent.md}\n  b: {T}\n", x="b")
    assert 'agents.a.profile: "b", the name in the profile, is the key of b: tasks for it go there' in told


def test_a_profile_whose_file_is_called_as_another_agent_is_told(tmp_path: Path) -> None:
    (told,) = named(tmp_path, "agents:\n  a: {T, profile: p/b.agent.md}\n  b: {T}\n", b="x")
    assert 'agents.a.profile: "b", the file\'s name, is the key of b' in told


def test_an_alias_that_a_profile_goes_before_is_told(tmp_path: Path) -> None:
    (told,) = named(tmp_path, "agents:\n  a: {T, profile: p/x.agent.md}\n  b: {T, aliases: [ghost]}\n", x="ghost")
    assert 'agents.b.aliases[0]: "ghost", an alias, is the name in the profile of a: tasks for it go there' in told


def test_two_profiles_of_one_name_are_told_of_both(tmp_path: Path) -> None:
    told = named(tmp_path, "agents:\n  a: {T, profile: p/x.agent.md}\n  b: {T, profile: p/y.agent.md}\n", x="z", y="z")
    assert [one.partition(": ")[0].rpartition("/")[2] for one in told] == ["agents.yaml:2:40", "agents.yaml:3:40"]
    assert all('"z", the name in the profile, names' in one for one in told)


def test_two_agents_may_share_a_profile(tmp_path: Path) -> None:
    assert named(tmp_path, "agents:\n  a: {T, profile: p/x.agent.md}\n  b: {T, profile: p/x.agent.md}\n", x="z") == []


def test_a_profile_called_as_its_own_agent_is_usual(tmp_path: Path) -> None:
    assert named(tmp_path, "agents:\n  a: {T, profile: p/a.agent.md, aliases: [a2]}\n", a="a") == []


def test_a_profile_without_a_body_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "a.agent.md").write_text("---\nname: a\n---\n")
    found = validated(tmp_path, agents="agents:\n  a: {preferred_tool: claude, profile: a.agent.md}\n")
    assert found.is_good
    assert heads(found.warnings) == [
        "a.agent.md: the body is empty; write below the front matter who the agent is: it is the system prompt"
    ]


# --- bad input -----------------------------------------------------------------------------------------------------

_FRAGMENTS = [
    "agents:", "tools:", "policies:", "  a:", "  a: {", "}", "    profile: a.md", "    preferred_tool: b", "\n", "\t",
    "  limits: [{period: day, max_usd: 1}]", "    limit: {max_usd: 1}", "  - x", ": ", "[", "]", "'", '"', "&a", "*a",
    "${", "!!x", "<<: x", "é", "\x00", "1e999", ".nan", "    aliases: [a, A]", "    fallback_chain: [':', 'a:']",
    "    env: {A: '${B'}", "checks:", "    command: []", "null", "~", "- - -", "? a", "    price: free", "%YAML",
]  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["agents", "tools", "models", "policies"]),
    st.one_of(
        st.lists(st.sampled_from(_FRAGMENTS), max_size=12).map(lambda parts: "\n".join(parts).encode()),
        st.lists(st.sampled_from(_FRAGMENTS), max_size=12).map(lambda parts: "".join(parts).encode()),
        st.binary(max_size=60),
    ),
)
def test_whatever_a_file_holds_there_is_an_answer(tmp_path: Path, name: str, content: bytes) -> None:
    found = validated(tmp_path, instead={f"{name}.yaml": content})
    for problem in (*found.problems, *found.warnings):
        assert problem.path
        assert problem.message
        assert render(problem)
