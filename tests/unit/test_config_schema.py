"""The JSON Schemas let in what the program reads, and see what a schema can see of what it refuses."""

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, ValidationError

from orchestrator import strictyaml, taskfile
from orchestrator.config import ConfigRefused, load
from orchestrator.config import schema as entries
from orchestrator.config.json_kinds import KINDS
from orchestrator.config.json_schema import schema_of
from orchestrator.config.json_words import FILES, WORDS
from orchestrator.config.layers import SECTIONS
from orchestrator.errors import NotFoundError
from orchestrator.resources import folder
from orchestrator.strictyaml import Document, Node
from orchestrator.taskfile import json_schema as task_schema
from orchestrator.taskfile.build import build
from orchestrator.taskfile.fields import Fields
from orchestrator.taskfile.frontmatter import split
from orchestrator.wiring import schemas

SHARED = Path(__file__).parents[3] / "shared" / "corpus"
GOOD = {
    "agents": "agents:\n  writer:\n    preferred_tool: claude\n",
    "tools": "tools:\n  claude:\n    binary: claude\n    models: [big, small]\n",
    "models": "models:\n  big: {aliases: [large]}\n  small: {provider: acme}\n",
    "policies": "policies:\n  strict: {}\n",
}


def plain(text: str, name: str = "x.yaml") -> Any:
    """The file as an editor hands it to a schema."""
    return strictyaml.read(text, path=name).root.plain()


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schemas.schema_text(name)))


def faults(name: str, value: Any) -> list[str]:
    return [error.message for error in validator(name).iter_errors(value)]


def entries_below(kind: type[entries.Entry]) -> Iterator[type[entries.Entry]]:
    for one in kind.__subclasses__():
        yield one
        yield from entries_below(one)


# --- what they are -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", schemas.NAMES)
def test_each_is_a_schema_of_its_dialect(name: str) -> None:
    text = schemas.schema_text(name)
    made = json.loads(text)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(made)
    assert text.endswith("}\n")
    assert len(text) < 32_768  # they are committed


def test_another_name_is_told_with_the_nearest_one() -> None:
    with pytest.raises(NotFoundError, match="did you mean policies"):
        schemas.schema_text("policy")


def test_every_key_has_its_words_and_no_words_are_about_nothing() -> None:
    keys = {
        f"{kind.__name__}.{info.alias or name}"
        for kind in entries_below(entries.Entry)
        if kind not in {entries.NamedReader, entries.FreePrice}  # what a word stands for: nobody writes their keys
        for name, info in kind.model_fields.items()
        if name in kind.__annotations__  # those of the entry that it grew out of are told there
    }
    sections = {section for every in SECTIONS.values() for section in every} - set(entries.SingleEntry.model_fields)
    assert set(WORDS) == keys | sections
    assert {f"{name}.yaml" for name in FILES} == set(SECTIONS)


def test_defaults_are_shown_as_people_write_them() -> None:
    policies = schema_of("policies")["$defs"]
    assert policies["PolicyEntry"]["properties"]["estimate_usd"]["default"] == 0.5
    assert policies["CheckEntry"]["properties"]["timeout"]["default"] == "10m"
    assert schema_of("tools")["$defs"]["ToolEntry"]["properties"]["timeout"]["default"] == "30m"


# --- what they let in ----------------------------------------------------------------------------------------------


def test_the_configuration_that_ships_is_let_in() -> None:
    for name in schemas.CONFIGURATION:
        assert faults(name, plain((folder("config") / f"{name}.yaml").read_text())) == []


@pytest.mark.parametrize("section", ["tools", "models"])
def test_every_stanza_of_the_catalogue_is_let_in(section: str) -> None:
    files = sorted((folder("templates") / section).glob("*.yaml"))
    assert files
    for file in files:
        value = plain(file.read_text())
        if section not in value:
            value = {section: value}
        assert faults(section, value) == [], file.name


def test_sections_and_entries_with_nothing_in_them_are_let_in() -> None:
    assert faults("agents", {"agents": {"writer": None}}) == []
    assert faults("models", {"models": None}) == []
    assert faults("policies", None) == []


LET_IN = {
    "a price as a text": ("models", "models: {m: {price: {input_mtok: '2.5', output_mtok: 1e1}}}"),
    "a free model": ("models", "models: {m: {price: free}}"),
    "a reader by its name": ("tools", "tools: {t: {binary: x, output: claude-json}}"),
    "a reader by its pointers": ("tools", "tools: {t: {binary: x, output: {text: /a~1b/0}}}"),
    "a command as a text": ("tools", "tools: {t: {command: 'x --flag'}}"),
    "a variable with a default": ("tools", 'tools: {t: {binary: x, env: {A: "${B:-c}$"}}}'),
    "a size as a number": ("tools", "tools: {t: {binary: x, limits: {memory: 1024, output: 1.5 GiB}}}"),
    "an older limit": ("policies", "policies: {p: {limit: {type: soft}, daily_budget_usd: '10'}}"),
    "a trail": ("policies", "trail: {mode: none, branch: a/b, publish_every: 1h30m}\norphan_grace: 30s"),
    "copied files": ("policies", "workspaces: {copy: [.env.test], max_file: 1GiB}"),
}


@pytest.mark.parametrize(("name", "text"), LET_IN.values(), ids=LET_IN)
def test_what_is_read_is_let_in(tmp_path: Path, name: str, text: str) -> None:
    assert is_read(tmp_path, **{name: text})
    assert faults(name, plain(text)) == []


SEEN = {
    "an unknown key": ("agents", "agents: {a: {prefered_tool: x}}"),
    "an unknown section": ("agents", "agent: {}"),
    "a name with a space": ("agents", "agents: {a b: {}}"),
    "a text for a list": ("agents", "agents: {a: {aliases: x}}"),
    "yes for true": ("agents", "agents: {a: {manual: yes}}"),
    "a profile outside": ("agents", "agents: {a: {profile: ../a.md}}"),
    "a fallback without a model": ("agents", "agents: {a: {fallback_chain: ['claude:']}}"),
    "no program": ("tools", "tools: {t: {timeout: 3m}}"),
    "a duration without a unit": ("tools", "tools: {t: {binary: x, timeout: 30}}"),
    "no time at all": ("tools", "tools: {t: {binary: x, timeout: 0s}}"),
    "a word that is none of the choices": ("tools", "tools: {t: {binary: x, workspace: worktre}}"),
    "an unknown reader": ("tools", "tools: {t: {binary: x, output: claud}}"),
    "an empty command": ("tools", "tools: {t: {command: []}}"),
    "a command without a program": ("tools", "tools: {t: {command: ['']}}"),
    "our own variable": ("tools", "tools: {t: {binary: x, env_pass: [ORCHESTRATOR_X]}}"),
    "a variable that is not closed": ("tools", 'tools: {t: {binary: x, env: {A: "${B"}}}'),
    "a number in the environment": ("tools", "tools: {t: {binary: x, env: {A: 1}}}"),
    "no pointer": ("tools", "tools: {t: {binary: x, output: {text: result}}}"),
    "no count": ("tools", "tools: {t: {binary: x, max_parallel: 0}}"),
    "no size": ("tools", "tools: {t: {binary: x, limits: {memory: 5 lots}}}"),
    "no price": ("models", "models: {m: {price: cheap}}"),
    "half a price": ("models", "models: {m: {price: {input_mtok: 1}}}"),
    "a negative price": ("models", "models: {m: {price: {input_mtok: -1, output_mtok: 1}}}"),
    "no money": ("policies", "policies: {p: {limits: [{period: day, max_usd: 0}]}}"),
    "a limit without a period": ("policies", "policies: {p: {limits: [{max_usd: 1}]}}"),
    "no percentage": ("policies", "policies: {p: {alert_threshold_percent: 101}}"),
    "a branch that reads as an option": ("policies", "trail: {branch: -x}"),
    "git's own folder": ("policies", "intake: {branch: main, paths: [a/.GIT/b]}"),
    "no paths": ("policies", "intake: {branch: main, paths: []}"),
    "a relative folder": ("policies", "workspaces: {folder: trees}"),
    "a list for the whole": ("policies", "- policies"),
}


@pytest.mark.parametrize(("name", "text"), SEEN.values(), ids=SEEN)
def test_what_a_schema_can_see_is_refused_by_both(tmp_path: Path, name: str, text: str) -> None:
    assert not is_read(tmp_path, **{name: text})
    assert faults(name, plain(text))


def is_read(root: Path, **texts: str) -> bool:
    config = root / "config"
    config.mkdir(exist_ok=True)
    for name, text in (GOOD | {"agents": "agents: {}\n"} | texts).items():
        (config / f"{name}.yaml").write_text(text)
    try:
        load(config, repository=root, environ={}, platform="linux")
    except ConfigRefused:
        return False
    return True


# --- kinds of values, held against what reads them -----------------------------------------------------------------

_PIECES = [
    "a", "B7", "x.y", "..", ".", "/", "//", "-", "_", "~", "~0", "~1", ":", "@", "@{", "+", " ", ".git", ".lock", "*",
    "[", "\\", "^", "${A}", "refs/", "HEAD", "0", "1", "10", "1_0", "1.5", ".5", "1e3", "s", "m", "h", "d", "10m",
    "KiB", "MB", "k", "g", "é", "\t",
]  # fmt: skip
_VALUES = st.one_of(
    st.lists(st.sampled_from(_PIECES), max_size=5).map("".join),
    st.integers(-3, 200),
    st.sampled_from([0.5, -0.25, 10**9 + 0.5, 10**9, 10**9 + 1, 1 << 50, (1 << 50) + 1, True, None]),
    st.lists(st.sampled_from(["x", "", " ", "{binary}"]), max_size=3),
)
_SEES_LESS = {"Duration", "Usd", "Rate", "Size", "Command", "Zone"}  # a schema cannot count that far, or split, or ask


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_of_value_is_let_in_where_it_is_read(name: str) -> None:
    hint, schema = KINDS[name]
    reads = TypeAdapter(hint, config={"strict": True})
    sees = Draft202012Validator(schema)

    @settings(max_examples=150, deadline=None, derandomize=True)
    @given(_VALUES)
    def agree(value: object) -> None:
        try:
            reads.validate_python(value)
        except ValidationError:
            assert name in _SEES_LESS or not sees.is_valid(value), (name, value)
        else:
            assert sees.is_valid(value), (name, value)

    agree()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_mutation_of_a_good_file_is_read_and_not_let_in(tmp_path: Path, data: st.DataObject) -> None:
    name, text = data.draw(st.sampled_from([*((one, GOOD[one]) for one in GOOD), *LET_IN.values()]))
    document = strictyaml.read(text, path="x")
    node = data.draw(st.sampled_from(list(leaves(document.root))))
    value = data.draw(st.sampled_from(["x", "1", "'1'", "true", "[]", "[x]", "{}", "", "10m", "claude", "0", "1.5"]))
    changed = text[: node.span.start] + value + text[node.span.end :]
    try:
        seen = plain(changed)
    except strictyaml.YamlRefused:
        return
    if is_read(tmp_path, **{name: changed}):
        assert faults(name, seen) == [], changed


def leaves(node: Node) -> Iterator[Node]:
    below = node.value.values() if isinstance(node.value, dict) else node.value
    if isinstance(node.value, dict | list) and below:
        for child in below:
            yield from leaves(child)
    else:
        yield node


# --- tasks ---------------------------------------------------------------------------------------------------------


class Asked(Fields):
    """Notes every name that is asked for."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.names: set[str] = set()

    def find(self, *names: str) -> tuple[str, Node] | None:
        self.names |= set(names)
        return super().find(*names)

    def moment(self, name: str, *legacy: str) -> Any:
        self.names |= {name, *legacy}
        return super().moment(name, *legacy)


def test_the_schema_of_a_task_has_the_fields_that_are_read_and_no_others() -> None:
    asked = Asked(strictyaml.read("{}", path="x"))
    build(asked, stem="x", body="")
    assert set(task_schema.FIELDS) | set(task_schema.OLDER) == asked.names


def front_matter(raw: bytes) -> Any:
    text = strictyaml.decode(raw, path="x")
    return plain(text[: split(text).yaml_end])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared corpus is not here")
def test_every_real_task_that_is_read_is_let_in() -> None:
    checked = validator("task")
    read = 0
    for file in sorted(SHARED.rglob("*.yaml")):
        raw = file.read_bytes()
        try:
            taskfile.parse(raw, name=file.name)
        except taskfile.TaskFileRefused:
            continue
        read += 1
        assert [error.message for error in checked.iter_errors(front_matter(raw))] == [], file
    assert read > 100


_TEXTS = [
    "x",
    "'x y'",
    "7",
    "true",
    "",
    "[a, b]",
    "[docs/a.md (new), ./b.md]",
    "{a: b}",
    "../x",
    "/x",
    ".git/x",
    "a\\b",
]
_MORE = ["90s", "1h30m", "0s", "30", "2026-02-12", "2026-02-12T11:01:00Z", "20260212", "soon", "1.50", "-1",
         "In Progress", "HIGH", "todo", "[2026-x.yaml]", "['a b']", "{files: [a, ../b]}", "{files: a}",
         "2000000"]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*task_schema.FIELDS, *task_schema.OLDER, "else"]),
        st.sampled_from(_TEXTS + _MORE),
        min_size=1,
        max_size=4,
    )
)
def test_a_task_that_is_read_is_let_in(values: dict[str, str]) -> None:
    text = "title: T\n" * ("title" not in values) + "".join(f"{name}: {value}\n" for name, value in values.items())
    try:
        taskfile.parse(text.encode(), name="x.yaml")
    except taskfile.TaskFileRefused:
        return
    assert faults("task", plain(text)) == [], text


TASKS_SEEN = {
    "a status that is none": "status: doing",
    "a priority that is none": "priority: soonish",
    "a timeout without a unit": "timeout: 30",
    "no amount": "budget_usd: lots",
    "a negative amount": "budget_usd: -1",
    "a path that leaves": "artefacts: [../x]",
    "a path in git's folder": "context: {files: [.git/config]}",
    "no id of a task": "depends_on: ['a b']",
    "a mapping for a text": "title: {a: b}",
    "no truth": "pinned: maybe",
    "no time": "created_at: soon",
}


@pytest.mark.parametrize("text", TASKS_SEEN.values(), ids=TASKS_SEEN)
def test_what_a_schema_can_see_of_a_task_is_refused_by_both(text: str) -> None:
    whole = f"prompt: p\n{text}\n"
    with pytest.raises(taskfile.TaskFileRefused):
        taskfile.parse(whole.encode(), name="x.yaml")
    assert faults("task", plain(whole))


# --- runs, specifications ------------------------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared corpus is not here")
def test_every_real_specification_is_let_in() -> None:
    known = 0
    for file in sorted((SHARED / "specifications").rglob("*.md")):
        raw = file.read_bytes()
        if raw.startswith(b"---"):
            known += 1
            assert faults("specification", front_matter(raw)) == [], file
    assert known > 10


def test_a_run_is_named_by_its_day_and_holds_ids() -> None:
    good = {"id": "RUN-20260212-001", "title": "T", "tasks": ["2026-02-12T1101-a-b"], "owner": "anybody"}
    assert faults("run", good) == []
    assert faults("run", good | {"id": "run 1"})
    assert faults("run", good | {"tasks": ["../x"]})


def test_the_modeline_names_the_file_that_is_written() -> None:
    for name in schemas.CONFIGURATION:
        line = schemas.modeline(name)
        assert line == f"# yaml-language-server: $schema=schemas/{schemas.file_name(name)}"
    assert all(one < other for one, other in pairwise(sorted(map(schemas.file_name, schemas.NAMES))))
