"""Older spellings of the configuration become those of today: it means the same, and every comment is still there."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.config import load
from orchestrator.config.migrating import migrated
from orchestrator.core.settings import Settings
from orchestrator.errors import OrchestratorError
from orchestrator.strictyaml import read

FILES = {
    "agents.yaml": "agents:\n  writer: {preferred_tool: a}\n",
    "tools.yaml": "tools:\n  a: {binary: a}\n",
    "models.yaml": "",
    "policies.yaml": "",
}


def of_today(text: str, name: str) -> str:
    return migrated(read(text, path=name), name).text


def meant(folder: Path, name: str, text: str) -> Settings:
    """What the configuration means with that content of one file."""
    folder.mkdir(exist_ok=True)
    for other, content in FILES.items():
        (folder / other).write_text(content)
    (folder / name).write_bytes(text.encode())
    return load(folder, repository=folder, environ={}, platform="linux")


POLICIES = """\
policies:
  # the default
  default:
    # our budget
    daily_budget_usd: 10.50   # the board said so
    monthly_budget_usd: 200 # and this
    # warn early
    alert_threshold_percent: 70  # of it
    block_over_budget: true
    # end
  second: {daily_budget_usd: 1, block_over_budget: false, review: merge}
  third:
    limit:   # only this
      type: soft  # be kind
      # inner
      period: week
      max_usd: 3
      scope: {agent: writer}
    review: merge
  fourth:
    limits:
      - {period: task, max_usd: 1}   # tasks
      # after
    daily_budget_usd: 3  # more
    limit: {threshold_percent: 50, type: soft}
  fifth:
    limits: [{period: task, max_usd: 1}]
    limit: {period: total, max_usd: 9}
checks:
  t: {command: pytest -q 'a b', timeout: 3m}
workspaces: {setup: npm ci}
"""
POLICIES_OF_TODAY = """\
policies:
  # the default
  default:
    # our budget
    limits:
      - {period: day, max_usd: 10.50, type: hard, threshold_percent: 70}   # the board said so
      - {period: month, max_usd: 200, type: hard, threshold_percent: 70} # and this
    # warn early
    # of it
    # end
  second: {limits: [{period: day, max_usd: 1, type: soft}], review: merge}
  third:
    # only this
    # be kind
    # inner
    limits:
      - {period: week, max_usd: 3, type: soft, scope: {agent: writer}}
    review: merge
  fourth:
    limits:
      - {period: task, max_usd: 1}   # tasks
      - {period: day, max_usd: 3, type: soft, threshold_percent: 50}
      # after
    # more
  fifth:
    limits: [{period: task, max_usd: 1}, {period: total, max_usd: 9, type: hard}]
checks:
  t: {command: ["pytest", "-q", "a b"], timeout: 3m}
workspaces: {setup: ["npm", "ci"]}
"""
MODELS = """\
models:
  a:
    # price
    cost_per_1k_tokens:   # of the invoice
      input: 0.003   # more than last year
      output: 0.00025
    provider: x
  b: {cost_per_1k_tokens: {input: 1.5e-3, output: 0.1}}
  c:
    price: {input_mtok: 3, output_mtok: 4}
    cost_per_1k_tokens: {input: 0.003, output: 0.004} # the same
  d: {price: , cost_per_1k_tokens: {input: 1, output: 1}}
"""
MODELS_OF_TODAY = """\
models:
  a:
    # price
    price:   # of the invoice
      input_mtok: 3   # more than last year
      output_mtok: 0.25
    provider: x
  b: {price: {input_mtok: 1.5, output_mtok: 100}}
  c:
    price: {input_mtok: 3, output_mtok: 4}
    # the same
  d: {price: {input_mtok: 1000, output_mtok: 1000}}
"""
TOOLS = """\
tools:
  a:
    binary: a
    command: '{binary} -p "x y" --level {level}'  # how
    options: {level: '1'}
    output:
      text: /r
      tokens_input: /a   # in
      tokens_output: /b
    version_command: a --version
  b:
    command: >-
      b
      -x
    timeout: 3m
  c: {binary: c, output: {text: /r, tokens: {input: /i}, tokens_output: /o}}
"""
TOOLS_OF_TODAY = """\
tools:
  a:
    binary: a
    command: ["{binary}", "-p", "x y", "--level", "{level}"]  # how
    options: {level: '1'}
    output:
      text: /r
      # in
      tokens:
        input: /a
        output: /b
    version_command: ["a", "--version"]
  b:
    command: ["b", "-x"]
    timeout: 3m
  c: {binary: c, output: {text: /r, tokens: {input: /i, output: /o}}}
"""
WHOLE = {
    "policies.yaml": (POLICIES, POLICIES_OF_TODAY),
    "models.yaml": (MODELS, MODELS_OF_TODAY),
    "tools.yaml": (TOOLS, TOOLS_OF_TODAY),
}


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_file_with_all_of_them_is_written_as_today_and_means_the_same(name: str, end: str, tmp_path: Path) -> None:
    before, expected = (text.replace("\n", end) for text in WHOLE[name])
    after = of_today(before, name)
    assert after == expected
    assert meant(tmp_path / "old", name, before) == meant(tmp_path / "old", name, after)
    assert of_today(after, name) == after


def test_json_stays_json(tmp_path: Path) -> None:
    before = '{"policies": {"default": {"daily_budget_usd": 2.5, "limit": {"type": "soft"}}}}\n'
    after = of_today(before, "policies.yaml")
    assert after == ('{"policies": {"default": {"limits": [{"period": "day", "max_usd": 2.5, "type": "soft"}]}}}\n')
    assert meant(tmp_path, "policies.yaml", before) == meant(tmp_path, "policies.yaml", after)


def test_an_exact_price_stays_exact(tmp_path: Path) -> None:
    text = "models:\n  a: {cost_per_1k_tokens: {input: 0.0123456789012345678, output: '0.0012345678901234567'}}\n"
    after = of_today(text, "models.yaml")
    assert meant(tmp_path, "models.yaml", text) == meant(tmp_path, "models.yaml", after)


def test_what_is_written_as_today_stays_as_it_is_to_the_byte() -> None:
    for folder in (Path(__file__).parents[2] / "config",):
        for file in folder.glob("*.yaml"):
            text = file.read_text()
            assert of_today(text, file.name) == text
    for name in ("agents.yaml", "policies.yaml", "models.yaml", "tools.yaml"):
        assert of_today("", name) == ""
        assert of_today("# only this\n", name) == "# only this\n"


def test_comments_between_brackets_that_would_be_lost_are_left_to_a_person() -> None:
    text = "policies:\n  default: {daily_budget_usd: 1, limit: {  # why\n    type: soft}}\n"
    with pytest.raises(OrchestratorError, match=r"policies\.default\.limit holds comments between brackets"):
        of_today(text, "policies.yaml")


# ---- laws

_MONEY = st.sampled_from(["10", "2.50", "0.000001", "1e2", "'7'"])
_BESIDE = st.sampled_from(["", "  # C{}", " # it's {}: C{}"])


@st.composite
def policies(draw: st.DrawFn) -> str:
    """A policy with older spellings, in block or flow, in any order, with comments all around."""
    keys: dict[str, str] = {}
    if draw(st.booleans()):
        keys["daily_budget_usd"] = draw(_MONEY)
    if not keys or draw(st.booleans()):
        keys["monthly_budget_usd"] = draw(_MONEY)
    if draw(st.booleans()):
        keys["alert_threshold_percent"] = draw(st.sampled_from(["50", "99"]))
    hard = draw(st.sampled_from(["", "true", "false"]))
    if hard:
        keys["block_over_budget"] = hard
    inner = draw(
        st.sampled_from(
            [
                "",
                "{}",
                "{threshold_percent: 42}",
                "{period: week, max_usd: 3, scope: {agent: writer}}",
                "{scope: {tool: a}}" if hard else "{type: soft, scope: {tool: a}}",
            ]
        )
    )
    if inner:
        keys["limit"] = inner
    if draw(st.booleans()):
        keys["limits"] = draw(
            st.sampled_from(["[]", "[{period: total, max_usd: 99}]", "\n      - {period: total, max_usd: 99}  # L"])
        )
    keys["review"] = "merge"
    names = draw(st.permutations(list(keys)))
    if draw(st.booleans()) and "\n" not in keys.get("limits", ""):
        return "policies:\n  default: {" + ", ".join(f"{name}: {keys[name]}" for name in names) + "}  # flow\n"
    text = "policies:  # all\n  default:\n"
    for number, name in enumerate(names):
        text += draw(st.sampled_from(["", f"    # above C{number}\n", "\n"]))
        beside = "" if "\n" in keys[name] else draw(_BESIDE).format(number, number)
        if name == "limit" and keys[name] != "{}" and draw(st.booleans()):
            inside = keys[name][1:-1].replace(", scope", f"  # in C{number}\n      scope").replace(", ", "\n      ")
            text += f"    limit:{beside}\n      {inside}\n"
        else:
            text += f"    {name}: {keys[name]}{beside}\n"
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


def comments(text: str) -> list[str]:
    return sorted(comment.strip() for comment in re.findall(r"(?<!\S)# ?(?:C|L|it's|above|in |flow|all)[^\r\n]*", text))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policies())
def test_a_policy_in_any_layout_means_the_same_and_keeps_its_comments(tmp_path: Path, text: str) -> None:
    after = of_today(text, "policies.yaml")
    assert meant(tmp_path, "policies.yaml", text) == meant(tmp_path, "policies.yaml", after)
    assert comments(after) == comments(text)
    assert not re.search("daily_budget|monthly_budget|alert_threshold|block_over|limit:", after)
    assert of_today(after, "policies.yaml") == after


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.decimals(min_value="0.0001", max_value="0.5", places=12),
    st.sampled_from(["{{input: {0}, output: {0}}}", "\n      # C1\n      input: {0}  # C2\n      output: {0}"]),
)
def test_any_price_for_a_thousand_tokens_is_the_same_for_a_million(tmp_path: Path, rate: object, layout: str) -> None:
    text = f"models:\n  a:\n    cost_per_1k_tokens: {layout.format(rate)}\n    provider: x\n"
    after = of_today(text, "models.yaml")
    assert meant(tmp_path, "models.yaml", text) == meant(tmp_path, "models.yaml", after)
    assert comments(after) == comments(text)
    assert "1k" not in after
