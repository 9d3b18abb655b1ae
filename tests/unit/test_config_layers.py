"""Layers of the configuration: merged key by key, each over those below it, and every problem shown where it stands."""

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator import strictyaml
from orchestrator.config import Around, ConfigRefused, load
from orchestrator.config.layers import SECTIONS, Grafted, grafted, merged
from orchestrator.config.loading import sheets_of
from orchestrator.config.origins import Layer, Setting, settings_in
from orchestrator.config.schema import RetriesEntry
from orchestrator.core.problem import render
from orchestrator.core.settings import Limit, Period, Policy, Retries, Settings
from orchestrator.core.variables import configuring

if TYPE_CHECKING:
    from orchestrator.core.types import MicroUsd

GOOD = {
    "agents": "agents:\n  writer: {preferred_tool: claude}\n",
    "tools": "tools:\n  claude: {binary: claude, models: [gpt-6.1], timeout: 5m}\n",
    "models": "models:\n  gpt-6.1: {price: free, provider: acme}\n",
    "policies": "policies:\n  default: {max_parallel: 4}\n  wide-open: {}\n",
}


def write(folder: Path, texts: dict[str, str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def around(
    root: Path, user: dict[str, str] | None = None, variables: dict[str, str] | None = None, flags: Sequence[str] = ()
) -> Around:
    folder = write(root / "home", user) if user is not None else None
    named = {f"ORCHESTRATOR_{name}": value for name, value in (variables or {}).items()}
    return Around(user=folder, variables=named, flags=tuple(flags))


def loaded(
    root: Path,
    project: dict[str, str] | None = None,
    user: dict[str, str] | None = None,
    variables: dict[str, str] | None = None,
    flags: Sequence[str] = (),
) -> Settings:
    folder = write(root / "config", GOOD | (project or {}))
    layers = around(root, user, variables, flags)
    return load(folder, repository=root, environ={}, platform="linux", around=layers)


def refused(
    root: Path,
    project: dict[str, str] | None = None,
    user: dict[str, str] | None = None,
    variables: dict[str, str] | None = None,
    flags: Sequence[str] = (),
) -> list[str]:
    """Every problem as it is drawn, the temporary folder cut off."""
    with pytest.raises(ConfigRefused) as caught:
        loaded(root, project, user, variables, flags)
    return [render(problem).replace(f"{root}/", "") for problem in caught.value.problems]


# The laws of merging

SCALARS = st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["a", "b"])
TREES = st.recursive(
    SCALARS | st.lists(SCALARS, max_size=2),
    lambda inner: st.dictionaries(st.sampled_from(["x", "y", "z"]), inner, max_size=3),
    max_leaves=8,
)


def layer(plain: object, path: str = "one") -> Grafted:
    document = strictyaml.read(json.dumps(plain), path=path)
    return grafted(document.root, document)


def places(node: strictyaml.Node, document: strictyaml.Document, at: str = "") -> dict[str, str]:
    """By place, in which layer each value stands that is no mapping."""
    if isinstance(node, Grafted):
        document = node.document
    if isinstance(node.value, dict):
        below = (places(child, document, f"{at}.{key}") for key, child in node.value.items())
        return {key: path for found in below for key, path in found.items()}
    return {at: document.path}


def expected(layers: Sequence[object]) -> object:
    """What layers say together, in the plainest way: from the top down to the first that is no mapping."""
    found: dict[str, list[object]] = {}
    mappings: list[dict[str, object]] = []
    for plain in reversed(layers):
        if not isinstance(plain, dict):
            if not mappings:
                return plain
            break
        mappings.append(plain)
    for plain in reversed(mappings):
        for key, value in plain.items():
            found.setdefault(key, []).append(value)
    return {key: expected(values) for key, values in found.items()}


@given(st.tuples(TREES, TREES, TREES))
@settings(max_examples=300)
def test_it_does_not_matter_which_two_of_three_layers_are_merged_first(plains: tuple[object, object, object]) -> None:
    low, middle, top = (layer(plain, f"{number}") for number, plain in enumerate(plains))
    left, right = merged(merged(low, middle), top), merged(low, merged(middle, top))
    assert left.plain() == right.plain() == expected(plains)
    assert places(left, left.document) == places(right, right.document)


@given(st.dictionaries(st.sampled_from(["x", "y", "z"]), TREES, max_size=3))
@settings(max_examples=100)
def test_an_empty_layer_changes_nothing_below_or_above(plain: dict[str, object]) -> None:
    assert merged(layer({}), layer(plain)).plain() == plain
    assert merged(layer(plain), layer({})).plain() == plain
    assert merged(layer(plain), layer(plain)).plain() == plain


# Each layer over the next

VALUES = {"user": 11, "project": 22, "variable": 33, "flag": 44}


@pytest.mark.parametrize("present", list(product([True, False], repeat=4)), ids=str)
def test_the_uppermost_layer_that_says_something_wins(tmp_path: Path, present: tuple[bool, ...]) -> None:
    user, project, variable, flag = present
    text = "policies:\n  default:\n    max_parallel: {}\n"
    read = loaded(
        tmp_path,
        {"policies": text.format(22) if project else "policies: {default: {review: none}}\n"},
        {"policies": text.format(11)} if user else None,
        {"POLICIES__DEFAULT__MAX_PARALLEL": "33"} if variable else None,
        ["policies.default.max_parallel=44"] if flag else (),
    )
    said = [value for value, is_there in zip(VALUES.values(), present, strict=True) if is_there]
    assert read.policies["default"].max_parallel == (said[-1] if said else Policy(name="default").max_parallel)


def test_mappings_are_merged_key_by_key_and_lists_are_replaced(tmp_path: Path) -> None:
    user = {"tools": "tools: {claude: {models: [a, b], env: {A: '1', B: '1'}}, mine: {binary: mine}}\n"}
    project = {"tools": "tools: {claude: {binary: claude, models: [gpt-6.1], env: {B: '2'}}}\n"}
    read = loaded(tmp_path, project, user)
    assert set(read.tools) == {"claude", "mine"}
    assert read.tools["claude"].models == ("gpt-6.1",)
    assert read.tools["claude"].env == {"A": "1", "B": "2"}


def test_an_empty_section_or_entry_of_the_project_takes_nothing_away(tmp_path: Path) -> None:
    user = {"tools": "tools: {claude: {binary: mine}}\n", "models": "models: {m: {provider: p}}\n"}
    read = loaded(tmp_path, {"tools": "tools:\n  claude:\n", "models": "models:\n"}, user)
    assert read.tools["claude"].binary == "mine"
    assert set(read.models) == {"m"}


def test_null_takes_a_value_of_a_lower_layer_away(tmp_path: Path) -> None:
    user = {"tools": "tools: {claude: {rate_limit: {per_minute: 3}, install: by hand}}\n"}
    project = {"tools": "tools: {claude: {binary: claude, models: [gpt-6.1], rate_limit: null}}\n"}
    tool = loaded(tmp_path, project, user, flags=["tools.claude.install="]).tools["claude"]
    assert (tool.rate_limit.per_minute, tool.install) == (None, "")


@pytest.mark.parametrize("section", ["agents", "tools"])
def test_a_file_that_only_the_user_has_is_enough(tmp_path: Path, section: str) -> None:
    folder = write(tmp_path / "config", GOOD)
    (folder / f"{section}.yaml").unlink()
    layers = around(tmp_path, {section: GOOD[section]})
    read = load(folder, repository=tmp_path, environ={}, platform="linux", around=layers)
    assert set(read.agents) == {"writer"}
    assert set(read.tools) == {"claude"}


def test_a_file_that_no_layer_makes_good_is_named_with_what_makes_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "config", GOOD)
    (folder / "tools.yaml").unlink()
    for layers in (around(tmp_path), around(tmp_path, {"models": "models:\n"}), around(tmp_path, {"tools": ""})):
        with pytest.raises(ConfigRefused) as caught:
            load(folder, repository=tmp_path, environ={}, platform="linux", around=layers)
        assert str(caught.value) == "config/tools.yaml: the file is missing; make it with: orchestrator init"


# Variables and flags


@pytest.mark.parametrize(
    ("name", "value", "key", "wanted"),
    [
        ("POLICIES__DEFAULT__MAX_PARALLEL", "7", ("policies", "default", "max_parallel"), 7),
        ("policies__default__max_parallel", "7", ("policies", "default", "max_parallel"), 7),
        ("POLICIES__WIDE_OPEN__MAX_PARALLEL", "7", ("policies", "wide-open", "max_parallel"), 7),
        ("MODELS__GPT_6_1__CONTEXT_WINDOW", "9", ("models", "gpt-6.1", "context_window"), 9),
        ("MODELS__GPT_6_1__PRICE", "{input_mtok: 1, output_mtok: 2}", ("models", "gpt-6.1", "price", "input_mtok"), 1),
        ("TOOLS__CLAUDE__BINARY", "/opt/claude", ("tools", "claude", "binary"), "/opt/claude"),
        ("TOOLS__CLAUDE__MODELS", "[a, b]", ("tools", "claude", "models"), ["a", "b"]),
        ("TOOLS__CLAUDE__ENV__MyName", "x", ("tools", "claude", "env", "MyName"), "x"),
        ("TOOLS__CLAUDE__OPTIONS__EFFORT", "high", ("tools", "claude", "options", "effort"), "high"),
        ("PROVIDERS__ACME__MAX_PARALLEL", "1", ("providers", "acme", "max_parallel"), 1),
        ("TOOLS", "{claude: {binary: y}}", ("tools", "claude", "binary"), "y"),
        ("ORPHAN_GRACE", "1m", ("orphan_grace",), "1m"),
        ("TRAIL__MODE", "none", ("trail", "mode"), "none"),
    ],
)
def test_a_variable_means_the_key_of_its_name(
    tmp_path: Path, name: str, value: str, key: tuple[str, ...], wanted: object
) -> None:
    loaded(tmp_path, variables={name: value})
    found = origin_of(tmp_path, key, variables={name: value})
    assert (found.value, found.origin.told) == (wanted, f"ORCHESTRATOR_{name}")


@pytest.mark.parametrize(
    ("flag", "key", "wanted"),
    [
        ("policies.default.max_parallel=2", ("policies", "default", "max_parallel"), 2),
        ("policies.wide-open.max_parallel=2", ("policies", "wide-open", "max_parallel"), 2),
        ('models."gpt-6.1".context_window=2', ("models", "gpt-6.1", "context_window"), 2),
        ("models.gpt-6.1.context_window=2", ("models", "gpt-6.1", "context_window"), 2),
        ("tools.claude.options.a=x=y", ("tools", "claude", "options", "a"), "x=y"),
        ("tools.claude.env={A: '${B:-c}'}", ("tools", "claude", "env", "A"), "${B:-c}"),
        ("orphan_grace=1m", ("orphan_grace",), "1m"),
        ("policies={default: {max_parallel: 3}, new: {}}", ("policies", "default", "max_parallel"), 3),
    ],
)
def test_a_flag_means_the_key_that_it_names(tmp_path: Path, flag: str, key: tuple[str, ...], wanted: object) -> None:
    loaded(tmp_path, flags=[flag])
    found = origin_of(tmp_path, key, flags=[flag])
    assert (found.value, found.origin.told) == (wanted, "--set")


def test_of_two_flags_the_last_counts(tmp_path: Path) -> None:
    flags = ["policies.default.max_parallel=2", "policies.default.max_parallel=3"]
    assert loaded(tmp_path, flags=flags).policies["default"].max_parallel == 3


def test_variables_that_are_no_configuration_and_empty_ones_change_nothing(tmp_path: Path) -> None:
    names = ("ROOT", "HOST", "INVOCATION", "WORKSPACE", "TEST_DIE_AT", "MY_OWN_KEY", "OUTPUT", "MODEL_KEY")
    others = dict.fromkeys(names, "x") | {"TOOLS__CLAUDE__BINARY": ""}
    assert loaded(tmp_path, variables=others) == loaded(tmp_path)


def test_every_section_can_be_set_by_a_variable() -> None:
    names = {f"ORCHESTRATOR_{section.upper()}": "x" for sections in SECTIONS.values() for section in sections}
    others = {"ORCHESTRATOR_ROOT": "x", "ORCHESTRATOR_API_KEY": "x", "HOME": "x", "ORCHESTRATOR_TRAIL": ""}
    assert configuring(others | names) == dict(sorted(names.items()))


REFUSED = {
    "a value in the user's file": (
        {"user": {"policies": "policies:\n  default:\n    review: brnch\n"}},
        (
            'home/policies.yaml:3:13: policies.default.review: "brnch" is not one of branch, merge, none; did you mean '
            "branch?\n    3 |     review: brnch\n      |             ^^^^^"
        ),
    ),
    "a key in the user's file": (
        {"user": {"tools": "tools: {claude: {bin: x}}\n"}},
        (
            'home/tools.yaml:1:18: tools.claude.bin: unknown key "bin"; did you mean binary?\n'
            "    1 | tools: {claude: {bin: x}}\n      |                  ^^^"
        ),
    ),
    "a section in the user's file": (
        {"user": {"models": "modles: {}\n"}},
        'home/models.yaml:1:1: modles: unknown key "modles"; did you mean models?\n    1 | modles: {}\n      | ^^^^^^',
    ),
    "a user's file that is no YAML": (
        {"user": {"models": "models: [\n"}},
        "home/models.yaml:1:9: `[` is opened here and not closed",
    ),
    "a user's file that is no mapping": (
        {"user": {"models": "- a\n"}},
        "home/models.yaml: a list stands where a mapping is wanted; start with `models:`",
    ),
    "a name in the user's file that exists nowhere": (
        {"user": {"agents": "agents: {mine: {preferred_tool: clade}}\n"}},
        'home/agents.yaml:1:33: agents.mine.preferred_tool: there is no tool "clade"; did you mean claude?',
    ),
    "an older spelling in the user's file": (
        {"user": {"policies": "policies: {default: {daily_budget_usd: 3}}\n"}},
        "home/policies.yaml:1:22: policies.default.daily_budget_usd: daily_budget_usd is an older spelling",
    ),
    "a value in the project's file over the user's": (
        {
            "user": {"policies": "policies: {default: {review: none}}\n"},
            "project": {"policies": "policies:\n  default: {review: off}\n"},
        },
        'config/policies.yaml:2:21: policies.default.review: "off" is not one of',
    ),
    "a value in a variable": (
        {"variables": {"POLICIES__DEFAULT__MAX_PARALLEL": "zero"}},
        (
            'ORCHESTRATOR_POLICIES__DEFAULT__MAX_PARALLEL:1:1: policies.default.max_parallel: "zero" is not a count; '
            "use a whole number of 1 or more\n    1 | zero\n      | ^^^^"
        ),
    ),
    "a part of a value in a variable": (
        {"variables": {"TOOLS__CLAUDE__LIMITS": "{kept: 1MiB, memory: much}"}},
        'ORCHESTRATOR_TOOLS__CLAUDE__LIMITS:1:22: tools.claude.limits.memory: "much" is not a size',
    ),
    "a section of a variable": (
        {"variables": {"TOOL__CLAUDE__BINARY": "x"}},
        (
            'ORCHESTRATOR_TOOL__CLAUDE__BINARY:1:1: there is no section "tool"; did you mean '
            "ORCHESTRATOR_TOOLS__CLAUDE__BINARY?"
        ),
    ),
    "a section of a variable like no other": (
        {"variables": {"XYZ__A": "x"}},
        'ORCHESTRATOR_XYZ__A:1:1: there is no section "xyz"; sections: agents, tools, models, policies',
    ),
    "a single key that is nearly ours": (
        {"variables": {"ORPHAN_GRACES": "1m"}},
        'ORCHESTRATOR_ORPHAN_GRACES:1:1: there is no section "orphan_graces"; did you mean ORCHESTRATOR_ORPHAN_GRACE?',
    ),
    "a name in a variable": (
        {"variables": {"TOOLS__CLADE__BINARY": "x"}},
        'ORCHESTRATOR_TOOLS__CLADE__BINARY:1:1: tools has no "clade"; did you mean claude?',
    ),
    "a key in a variable": (
        {"variables": {"TOOLS__CLAUDE__TIMEOUTS": "3m"}},
        'ORCHESTRATOR_TOOLS__CLAUDE__TIMEOUTS:1:1: tools.claude.timeouts: unknown key "timeouts"; did you mean',
    ),
    "a variable that means two names": (
        {
            "variables": {"POLICIES__A_B__MAX_PARALLEL": "3"},
            "project": {"policies": "policies: {a-b: {}, a.b: {}}\n"},
        },
        "ORCHESTRATOR_POLICIES__A_B__MAX_PARALLEL:1:1: its name means a-b and a.b alike; use --set",
    ),
    "a variable of several lines": (
        {"variables": {"TOOLS__CLAUDE__ENV": "A: b\nC: d"}},
        "ORCHESTRATOR_TOOLS__CLAUDE__ENV:1:1: the value has several lines; write it on one line",
    ),
    "a variable that would be a mapping": (
        {"variables": {"TOOLS__CLAUDE__INSTALL": "a: b"}},
        "ORCHESTRATOR_TOOLS__CLAUDE__INSTALL:1:1: a mapping stands where one value is wanted; write it on one line",
    ),
    "a variable that is no YAML": (
        {"variables": {"TOOLS__CLAUDE__INSTALL": "*x"}},
        "ORCHESTRATOR_TOOLS__CLAUDE__INSTALL:1:1: ",
    ),
    "a value in a flag": (
        {"flags": ["policies.default.max_parallel=0"]},
        (
            "--set:1:31: policies.default.max_parallel: 0 is not a count; use a whole number of 1 or more\n"
            "    1 | policies.default.max_parallel=0\n      |                               ^"
        ),
    ),
    "a key in a flag": (
        {"flags": ["policies.default.max_paralel=1"]},
        (
            '--set:1:18: policies.default.max_paralel: unknown key "max_paralel"; did you mean max_parallel?\n'
            "    1 | policies.default.max_paralel=1\n      |                  ^^^^^^^^^^^"
        ),
    ),
    "a section in a flag": (
        {"flags": ["polices.default.max_parallel=1"]},
        '--set:1:1: there is no section "polices"; did you mean policies?',
    ),
    "a name in a flag": (
        {"flags": ["models.gpt-6.2.price=free"]},
        '--set:1:8: models has no "gpt-6"; did you mean gpt-6.1?',
    ),
    "a flag with no key": ({"flags": ["policies..x=1"]}, "--set:1:10: this is no key with a value; write KEY=VALUE"),
    "a flag into a list": (
        {"flags": ["tools.claude.models[0]=a"]},
        "--set:1:14: a place in a list cannot be set; set the list as a whole",
    ),
    "a flag below a single value": (
        {"flags": ["orphan_grace.x=1"]},
        "--set:1:14: orphan_grace holds one value; set orphan_grace itself",
    ),
    "a flag that is no YAML": ({"flags": ["tools.claude.models=[a"]}, "--set:1:21: `[` is opened here"),
}


@pytest.mark.parametrize(("given", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_wrong_in_a_layer_is_shown_where_that_layer_says_it(
    tmp_path: Path, given: dict[str, object], said: str
) -> None:
    found = refused(tmp_path, **given)  # type: ignore[arg-type] # the table holds the arguments by their names
    assert len(found) == 1, found
    assert found[0].startswith(said), found[0]


@pytest.mark.parametrize("value", ["*sk-1", "[sk-1", "sk-1: x", "a\nsk-1"])
def test_what_a_tool_is_given_in_its_environment_is_in_no_message(tmp_path: Path, value: str) -> None:
    for said in (
        refused(tmp_path, variables={"TOOLS__CLAUDE__ENV__TOKEN": value}),
        refused(tmp_path, flags=[f"tools.claude.env.TOKEN={value}"]),
    ):
        assert len(said) == 1
        assert "sk-1" not in said[0]


def test_a_price_tells_which_layer_gives_it(tmp_path: Path) -> None:
    text = "{input_mtok: 1, output_mtok: 2}"
    user = {"models": f"models: {{mine: {{price: {text}}}, gpt-6.1: {{aliases: [g]}}}}\n"}
    project = {"models": f"models: {{gpt-6.1: {{price: {text}}}}}\n"}

    def said_by(model: str, flags: Sequence[str] = ()) -> str:
        price = loaded(tmp_path, project, user, flags=flags).models[model].price
        assert price is not None
        return price.source

    assert said_by("gpt-6.1") == "config/models.yaml"
    assert said_by("mine") == f"{tmp_path}/home/models.yaml"
    assert said_by("mine", [f"models.mine.price={text}"]) == "--set"


def test_a_value_that_a_higher_layer_makes_good_is_no_problem(tmp_path: Path) -> None:
    project = {"policies": "policies: {default: {review: off}}\n"}
    assert loaded(tmp_path, project, flags=["policies.default.review=none"]).policies["default"].review == "none"


def test_what_is_missing_is_told_of_the_file_and_not_of_a_variable_that_names_one_key_beside_it(tmp_path: Path) -> None:
    project = {"tools": "tools:\n  claude:\n    models: [gpt-6.1]\n"}
    found = refused(tmp_path, project, variables={"TOOLS__CLAUDE__TIMEOUT": "3m"})
    assert [one.partition(": tools.claude")[0] for one in found] == ["config/tools.yaml:2:3"]


def test_the_problems_of_all_layers_are_told_at_once(tmp_path: Path) -> None:
    found = refused(
        tmp_path,
        {"agents": "agents: {writer: {polcy: x}}\n"},
        {"models": "models: {m: {provder: x}}\n"},
        {"TRAIL__MODE": "on"},
        ["retention.archive_after=never"],
    )
    assert sorted(one.split(":")[0] for one in found) == [
        "--set",
        "ORCHESTRATOR_TRAIL__MODE",
        "config/agents.yaml",
        "home/models.yaml",
    ]


WORDS = st.sampled_from(
    [
        "tools",
        "TOOLS",
        "claude",
        "policies",
        "default",
        "models",
        "gpt-6.1",
        "GPT_6_1",
        "env",
        "limits",
        "orphan_grace",
        "x",
    ]
)
SIGNS = st.sampled_from([".", "__", "_", '"', "=", "[0]", "..", "", " ", "\n", "é", "İ"])
TEXTS = st.one_of(
    st.lists(st.one_of(WORDS, SIGNS), max_size=8).map("".join),
    st.sampled_from(
        ["", "null", "{}", "[]", "{a: {b: c}}", "[{", "- a", "&a b", "1e999", "\t", "\x00", "${", "|", "---\na"]
    ),
    st.text(max_size=12),
)


@given(names=st.dictionaries(TEXTS, TEXTS, max_size=2), flags=st.lists(st.tuples(TEXTS, TEXTS), max_size=2))
@settings(max_examples=300)
def test_whatever_variables_and_flags_hold_is_read_or_refused_with_its_name(
    tmp_path_factory: pytest.TempPathFactory, names: dict[str, str], flags: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.getbasetemp() / "given" / "config"
    if not folder.exists():
        write(folder, GOOD)
    layers = Around(
        variables={f"ORCHESTRATOR_{name}": value for name, value in names.items()},
        flags=tuple(f"{key}={value}" for key, value in flags),
    )
    try:
        load(folder, repository=folder.parent, environ={}, platform="linux", around=layers)
    except ConfigRefused as refused:
        for problem in refused.problems:
            assert problem.path.startswith(("ORCHESTRATOR_", "--set", "config/")), problem
            assert problem.line, problem
            assert render(problem)


# Limits on money of the user's own


def limits_of(read: Settings, policy: str = "default") -> set[tuple[str, int, bool]]:
    return {(one.period.value, one.max_usd // 1_000_000, one.hard) for one in read.policies[policy].limits}


MINE = {
    "policies": "policies: {default: {limits: [{period: day, max_usd: 10}, {period: week, max_usd: 9, type: soft}]}}\n"
}


@pytest.mark.parametrize(
    ("project", "wanted"),
    [
        ("{max_parallel: 1}", {("day", 10, True), ("week", 9, False)}),
        ("", {("day", 10, True), ("week", 9, False)}),
        ("{limits: []}", {("day", 10, True), ("week", 9, False)}),
        ("{limits: null}", {("day", 10, True), ("week", 9, False)}),
        ("{limits: [{period: day, max_usd: 1000}]}", {("day", 10, True), ("week", 9, False)}),
        ("{limits: [{period: day, max_usd: 4}]}", {("day", 4, True), ("week", 9, False)}),
        ("{daily_budget_usd: 1000}", {("day", 10, True), ("week", 9, False)}),
        ("{daily_budget_usd: 4}", {("day", 4, True), ("week", 9, False)}),
        ("{limit: {period: day, max_usd: 30, type: hard}}", {("day", 10, True), ("week", 9, False)}),
        (
            "{limits: [{period: day, max_usd: 4, type: soft}]}",
            {("day", 4, False), ("day", 10, True), ("week", 9, False)},
        ),
        ("{limits: [{period: total, max_usd: 4}]}", {("total", 4, True), ("day", 10, True), ("week", 9, False)}),
    ],
)
def test_a_project_cannot_lift_the_limits_of_the_user(
    tmp_path: Path, project: str, wanted: set[tuple[str, int, bool]]
) -> None:
    for name in ("default", "other"):
        read = loaded(tmp_path, {"policies": f"policies:\n  {name}: {project}\n"}, MINE)
        assert limits_of(read, name) == wanted
        assert limits_of(read) >= {("week", 9, False)}


def test_the_user_can_lift_them_for_a_call(tmp_path: Path) -> None:
    read = loaded(tmp_path, None, MINE, {"POLICIES__DEFAULT__LIMITS": "[]"})
    assert (limits_of(read), len(limits_of(read, "wide-open"))) == (set(), 2)
    flags = ["policies.default.limits=[{period: day, max_usd: 99}]"]
    assert limits_of(loaded(tmp_path, None, MINE, flags=flags)) == {("day", 99, True)}


def test_a_policy_that_the_user_names_has_the_limits_that_are_said_of_it(tmp_path: Path) -> None:
    text = "policies: {default: {limits: [{period: day, max_usd: 1}]}, wide-open: {limits: []}, mine: {}}\n"
    read = loaded(tmp_path, None, {"policies": text})
    assert [limits_of(read, name) for name in ("default", "wide-open", "mine")] == [
        {("day", 1, True)},
        set(),
        {("day", 1, True)},
    ]


LIMITS = st.lists(
    st.fixed_dictionaries(
        {"period": st.sampled_from([one.value for one in Period]), "max_usd": st.integers(1, 5)},
        optional={"type": st.sampled_from(["hard", "soft"]), "scope": st.just({"agent": "writer"})},
    ),
    max_size=4,
    unique_by=lambda one: (one["period"], one.get("type", "hard"), "scope" in one),
)


@given(mine=LIMITS, theirs=LIMITS)
@settings(max_examples=60)
def test_every_limit_of_both_holds_in_full_or_by_a_smaller_one(
    tmp_path_factory: pytest.TempPathFactory, mine: list[dict[str, object]], theirs: list[dict[str, object]]
) -> None:
    root = tmp_path_factory.mktemp("w")
    texts = [{"policies": json.dumps({"policies": {"default": {"limits": limits}}})} for limits in (theirs, mine)]
    found = loaded(root, texts[0], texts[1]).policies["default"].limits
    alone = [loaded(root, text).policies["default"].limits for text in texts]

    def about(limit: Limit) -> tuple[object, ...]:
        return (limit.period, limit.hard, tuple(limit.scope.items()))

    least: dict[tuple[object, ...], MicroUsd] = {}
    for limit in (*alone[0], *alone[1]):
        least[about(limit)] = min(limit.max_usd, least.get(about(limit), limit.max_usd))
    assert {about(limit): limit.max_usd for limit in found} == least
    assert len(found) == len(least)


# Where a value came from


def origins(root: Path, around_it: Around) -> dict[tuple[str | int, ...], Setting]:
    return {one.at: one for one in settings_in(sheets_of(root / "config", repository=root, around=around_it))}


def origin_of(
    root: Path, key: tuple[str, ...], variables: dict[str, str] | None = None, flags: Sequence[str] = ()
) -> Setting:
    return origins(root, around(root, None, variables, flags))[key]


def test_every_key_tells_the_layer_that_it_came_from(tmp_path: Path) -> None:
    user = {
        "tools": "tools:\n  claude:\n    timeout: 9m\n    billing: free\n",
        "policies": "policies:\n  default:\n    limits:\n    - {period: day, max_usd: 1}\n",
    }
    project = {"policies": "policies:\n  default:\n    limits: [{period: task, max_usd: 1}]\n"}
    write(tmp_path / "config", GOOD | project)
    layers = around(tmp_path, user, {"TRAIL__MODE": "none"}, ["orphan_grace=1m"])
    told = {key: one.origin.told.replace(f"{tmp_path}/", "") for key, one in origins(tmp_path, layers).items()}
    assert told["tools", "claude", "timeout"] == "config/tools.yaml:2"
    assert told["tools", "claude", "billing"] == "home/tools.yaml:4"
    assert told["tools", "claude", "prompt"] == "default"
    assert told["trail", "mode"] == "ORCHESTRATOR_TRAIL__MODE"
    assert told["orphan_grace",] == "--set"
    assert told["policies", "default", "limits", 0] == "config/policies.yaml:3"
    assert told["policies", "default", "limits", 1] == "home/policies.yaml:4"


def test_defaults_are_shown_as_a_person_would_write_them_and_mean_what_is_in_force(tmp_path: Path) -> None:
    folder = write(tmp_path / "config", GOOD | {"policies": ""})
    found = origins(tmp_path, around(tmp_path))
    shown: dict[str, object] = {}
    for one in found.values():
        if (
            one.value is not None
            and one.origin.layer is Layer.DEFAULT
            and one.at[0] not in {"agents", "tools", "models"}
        ):
            holder = shown
            for step in one.at[:-1]:
                holder = holder.setdefault(str(step), {})  # type: ignore[assignment] # a key holds a value or keys
            holder[str(one.at[-1])] = one.value
    assert shown["orphan_grace"] == "5m"
    before = load(folder, repository=tmp_path, environ={}, platform="linux")
    (folder / "policies.yaml").write_text(json.dumps(shown))
    after = load(folder, repository=tmp_path, environ={}, platform="linux")
    assert after.policy("default") == before.policy("default") == Policy(name="default")
    assert (after.trail, after.retention, after.workspaces) == (before.trail, before.retention, before.workspaces)
    assert after.tools == before.tools
    written = RetriesEntry()
    assert Retries(max=written.max, backoff=written.backoff, on=frozenset(map(str, written.on))) == Retries()  # type: ignore[arg-type] # they compare as texts


def test_bounds_of_a_tool_are_shown_though_no_file_names_them(tmp_path: Path) -> None:
    write(tmp_path / "config", GOOD)
    found = origins(tmp_path, around(tmp_path))
    limits = {key[-1]: one.value for key, one in found.items() if key[:3] == ("tools", "claude", "limits")}
    assert limits == {
        "output": "1GiB",
        "kept": "64MiB",
        "silence": None,
        "memory": None,
        "processes": None,
        "file_size": "1GiB",
    }
