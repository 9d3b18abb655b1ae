"""A task file against its folder, the configuration and its former version: what is refused, where, in what words."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.problem import Problem, render
from orchestrator.core.settings import Agent, Check, Model, Policy, Settings, Tool
from orchestrator.core.types import AgentKey, Folder
from orchestrator.taskfile import TaskFileRefused, parse
from orchestrator.taskfile.vetting import Candidate, Twins, candidate_at, examine, nearest, vet

CORPUS = Path(__file__).parents[3] / "shared" / "corpus" / "tasks"
INBOX = "collaboration/inbox/a.yaml"
ASSIGNED = "collaboration/assigned/writer/a.yaml"
DONE = "collaboration/done/writer/2026-02-12/a.yaml"
ARCHIVE = "collaboration/archive/2026-02/a.yaml"
FRIDGE = "collaboration/fridge/later/a.yaml"
KNOWN = Settings(
    agents={
        AgentKey("writer"): Agent(key=AgentKey("writer"), aliases=("scribe",), preferred_tool="brief"),
        AgentKey("dev"): Agent(key=AgentKey("dev"), policy="open"),
    },
    tools={"brief": Tool(name="brief", binary="brief", command=("brief",), models=("embedded",))},
    models={"sonnet-5": Model(name="sonnet-5", aliases=("sonnet",))},
    policies={
        "default": Policy(name="default"),
        "open": Policy(name="open", tasks_may_choose=("tool", "model")),
    },
    checks={"tests": Check(name="tests", command=("pytest",))},
)


def at(path: str, text: str, *, before: str | None = None, before_path: str = "") -> Candidate:
    former = None if before is None else before.encode()
    candidate = candidate_at(path, text.encode(), before=former, before_path=before_path)
    assert candidate is not None
    return candidate


def said(problems: tuple[Problem, ...]) -> list[str]:
    return [
        f"{one.line}:{one.column} {one.key}: {one.message}" + (f"; {one.hint}" if one.hint else "") for one in problems
    ]


GOOD = {
    "in the inbox without a status": (INBOX, "agent: writer\ntitle: x\n"),
    "in the inbox as new": (INBOX, "id: a\nagent: Scribe\nstatus: new\ntitle: x\n"),
    "in the inbox by an older word for new": (INBOX, "agent: writer\nstatus: todo\ntitle: x\n"),
    "assigned": (ASSIGNED, "agent: writer\nstatus: assigned\ntitle: x\n"),
    "assigned by an alias of the folder's agent": (ASSIGNED, "agent: scribe\nstatus: in_progress\ntitle: x\n"),
    "assigned, its agent said by the folder alone": (ASSIGNED, "status: blocked\ntitle: x\n"),
    "put into assigned by a person": (ASSIGNED, "agent: writer\ntitle: x\n"),
    "overflowed within assigned": ("collaboration/assigned/writer/2/a.yaml", "status: error\ntitle: x\n"),
    "done": (DONE, "agent: writer\nstatus: done\ntitle: x\n"),
    "done, flat, as older workspaces have it": ("collaboration/done/a.yaml", "agent: writer\nstatus: done\ntitle: x\n"),
    "done by somebody who is gone": (
        "collaboration/done/poet/2026-02-12.2/a.yaml",
        "agent: poet\nstatus: done\ntitle: x\nverify: [gone]\ntool: gone\n",
    ),
    "archived": (ARCHIVE, "agent: poet\nstatus: done\ntitle: x\n"),
    "frozen with the status that it had": (FRIDGE, "agent: writer\nstatus: in_progress\ntitle: x\n"),
    "with checks, tool and model that are known": (
        INBOX,
        "agent: dev\ntitle: x\nverify: [tests]\ntool: brief\nmodel: sonnet\ndepends_on: [b]\n",
    ),
    "a model that only a tool lists": (INBOX, "agent: dev\ntitle: x\nmodel: embedded\n"),
    "capped below the policy, as every task may be": (INBOX, "agent: writer\ntitle: x\nbudget_usd: 1\ntimeout: 5m\n"),
}


@pytest.mark.parametrize(("path", "text"), GOOD.values(), ids=GOOD)
def test_a_good_file_has_neither_problems_nor_remarks(path: str, text: str) -> None:
    found = examine(at(path, text), KNOWN)
    assert found.problems == found.remarks == ()
    assert found.file is not None


BAD = {
    "its name is not its id": (
        INBOX,
        "id: b\nagent: writer\ntitle: x\n",
        ['1:5 id: the id is "b" and the file is called "a"; rename the file to b.yaml, or write `id: a`'],
    ),
    "an agent nearly known": (
        INBOX,
        "agent: wrter\ntitle: x\n",
        ['1:8 agent: no agent is called "wrter"; did you mean "writer"?'],
    ),
    "an agent under its older name": (
        INBOX,
        "assignee: qqq\ntitle: x\n",
        ['1:11 assignee: no agent is called "qqq"; known are writer, dev'],
    ),
    "no agent in the inbox": (
        INBOX,
        "title: x\n",
        ["0:0 agent: the task names no agent; add a line such as `agent: writer`"],
    ),
    "another agent than the folder's": (
        ASSIGNED,
        "agent: dev\nstatus: assigned\ntitle: x\n",
        [
            (
                '1:8 agent: "dev", and the file lies in the folder of writer; '
                "write `agent: writer`, or move the file to assigned/dev/"
            )
        ],
    ),
    "a folder of nobody": (
        "collaboration/assigned/wrter/a.yaml",
        "status: assigned\ntitle: x\n",
        ['0:0 agent: no agent is called "wrter"; did you mean "writer"?'],
    ),
    "done in the inbox": (
        INBOX,
        "agent: writer\nstatus: done\ntitle: x\n",
        [
            (
                '2:9 status: "done" does not belong into inbox/; '
                "a done task stays done: to have it done again give it a new id, and take status out"
            )
        ],
    ),
    "new in assigned": (
        ASSIGNED,
        "agent: writer\nstatus: new\ntitle: x\n",
        [
            (
                '2:9 status: "new" does not belong into assigned/; write one of assigned, in_progress, blocked, error, '
                "cancelled there, or move the file to inbox/"
            )
        ],
    ),
    "unfinished in done": (
        DONE,
        "agent: writer\nstatus: error\ntitle: x\n",
        ['2:9 status: "error" does not belong into done/; write done there, or move the file to assigned/'],
    ),
    "no status in done": (
        DONE,
        "agent: writer\ntitle: x\n",
        ["0:0 status: is absent, and the file lies in done/; write `status: done`"],
    ),
    "a check that nobody declares": (
        INBOX,
        "agent: writer\ntitle: x\nverify:\n  - tests\n  - tsts\n",
        ['5:5 verify: config/policies.yaml declares no check "tsts"; did you mean "tests"?'],
    ),
    "a tool and a model that are not known": (
        INBOX,
        "agent: dev\ntitle: x\ntool: brif\nmodel: sonet\n",
        [
            '3:7 tool: there is no tool "brif"; did you mean "brief"?',
            '4:8 model: there is no model "sonet"; did you mean "sonnet"?',
        ],
    ),
    "it waits for itself": (
        INBOX,
        "agent: dev\ntitle: x\ndepends_on: [b, a.yaml]\n",
        ["3:17 depends_on: the task would wait for itself; take it out"],
    ),
    "below the inbox": (
        "collaboration/inbox/later/a.yaml",
        "agent: dev\ntitle: x\n",
        ["0:0 : lies in a folder of the inbox, where nobody looks; move it into inbox/ itself"],
    ),
    "in assigned itself": (
        "collaboration/assigned/a.yaml",
        "agent: dev\ntitle: x\n",
        ["0:0 : lies in assigned/ itself, where nobody looks; move it into the folder of an agent, or into inbox/"],
    ),
    "fields that do not fit and names that nobody knows, all at once": (
        INBOX,
        "agent: wrter\ntitle: x\npriority: soonish\ntimeout: 5\nverify: [tsts]\n",
        [
            '1:8 agent: no agent is called "wrter"; did you mean "writer"?',
            '3:11 priority: "soonish" is not a priority; use one of critical, high, medium, normal, low',
            "4:10 timeout: lacks a unit; write e.g. 5s or 10m",
            '5:10 verify: config/policies.yaml declares no check "tsts"; did you mean "tests"?',
        ],
    ),
    "a template as it is": (
        INBOX,
        "agent: dev\ntitle: <what is asked>\n",
        ["2:8 title: is still to be filled in; write what is asked between the brackets"],
    ),
    "no YAML": (INBOX, "agent: writer\ntitle: a: b\n", ["2:9 : text that holds"]),
}


@pytest.mark.parametrize(("path", "text", "expected"), BAD.values(), ids=BAD)
def test_each_problem_is_told_at_its_place_with_what_to_do(path: str, text: str, expected: list[str]) -> None:
    found = said(vet(at(path, text), KNOWN))
    assert len(found) == len(expected), found
    for one, start in zip(found, expected, strict=True):
        assert one.startswith(start)


def test_a_problem_is_drawn_with_its_line_and_a_caret() -> None:
    (problem,) = vet(at(INBOX, "title: x\nagent: wrter\n"), KNOWN)
    assert render(problem) == (
        f'{INBOX}:2:8: agent: no agent is called "wrter"; did you mean "writer"?\n'
        "    2 | agent: wrter\n      |        ^^^^^"
    )


MOVES = {
    "a claimed one begins": (ASSIGNED, "assigned", ASSIGNED, "in_progress", ""),
    "it fails": (ASSIGNED, "in_progress", ASSIGNED, "error", ""),
    "it is retried": (ASSIGNED, "error", ASSIGNED, "assigned", ""),
    "it is claimed": (INBOX, "new", ASSIGNED, "assigned", ""),
    "it is done": (ASSIGNED, "in_progress", DONE, "done", ""),
    "it is frozen": (ASSIGNED, "blocked", FRIDGE, "blocked", ""),
    "it is archived": (DONE, "done", ARCHIVE, "done", ""),
    "done is taken back": (
        *(DONE, "done", ASSIGNED, "assigned"),
        "a task cannot go from done to assigned; done is final",
    ),
    "done without having run": (
        *(ASSIGNED, "assigned", DONE, "done"),
        "a task cannot go from assigned to done; from assigned it can go to in_progress, blocked, error, cancelled",
    ),
    "out of the fridge as something else": (
        *(FRIDGE, "error", ASSIGNED, "in_progress"),
        "a task cannot go from error to in_progress; from error it can go to assigned",
    ),
}


@pytest.mark.parametrize(("was_at", "was", "is_at", "status", "refusal"), MOVES.values(), ids=MOVES)
def test_a_status_moves_only_where_it_may(was_at: str, was: str, is_at: str, status: str, refusal: str) -> None:
    text = "agent: writer\ntitle: x\nstatus: {}\n"
    found = said(vet(at(is_at, text.format(status), before=text.format(was), before_path=was_at), KNOWN))
    assert found == ([f"3:9 status: {refusal}"] if refusal else [])


def test_what_lay_in_the_inbox_was_new_whatever_it_said() -> None:
    before, after = "agent: writer\ntitle: x\nstatus: error\n", "agent: writer\ntitle: x\nstatus: assigned\n"
    assert vet(at(ASSIGNED, after, before=before, before_path=INBOX), KNOWN) == ()
    assert vet(at(ASSIGNED, after, before=before, before_path=ASSIGNED), KNOWN) == ()
    assert vet(at(ASSIGNED, after, before="title: a: b\n"), KNOWN) == (), "it was no task: this is where it becomes one"


def test_without_settings_names_are_left_alone_and_all_else_is_checked() -> None:
    assert vet(at(INBOX, "agent: anybody\ntitle: x\nverify: [x]\ntool: y\n"), None) == ()
    assert said(vet(at(ASSIGNED, "agent: dev\ntitle: x\n"), None))[0].startswith('1:8 agent: "dev", and the file')
    assert [one.key for one in vet(at(DONE, "agent: writer\ntitle: x\nstatus: new\n"), None)] == ["status"]
    anywhere = Candidate(path="x/a.yaml", raw=b"title: x\n", folder=None)
    assert vet(anywhere, None) == ()
    assert [one.key for one in vet(anywhere, KNOWN)] == ["agent"], "nobody could be given it"


def test_a_wish_that_the_policy_does_not_grant_is_remarked_and_not_refused() -> None:
    text = "agent: {}\ntitle: x\ntool: brief\nmodel: sonnet\n"
    closed, free = examine(at(INBOX, text.format("writer")), KNOWN), examine(at(INBOX, text.format("dev")), KNOWN)
    assert closed.problems == free.problems == free.remarks == ()
    assert said(closed.remarks) == [
        f"{line} is not heeded: the policy default does not let tasks choose it; "
        f"take it out, or add {name} to its tasks_may_choose"
        for line, name in (("3:7 tool:", "tool"), ("4:8 model:", "model"))
    ]


def test_a_template_outside_the_inbox_is_only_remarked() -> None:
    found = examine(Candidate(path="templates/tasks/a.yaml", raw=b"agent: dev\ntitle: <what>\n", folder=None), KNOWN)
    assert found.problems == ()
    assert [one.key for one in found.remarks] == ["title"]


def test_a_misspelt_field_is_remarked_at_its_name_and_a_field_of_ones_own_is_not() -> None:
    found = examine(at(INBOX, "agent: dev\ntitle: x\npriorit: high\nestimate: 3\ndepends-on: [b]\n"), KNOWN)
    assert found.problems == ()
    assert said(found.remarks) == [
        '3:1 priorit: is no field of a task file; did you mean "priority"?',
        '5:1 depends-on: is no field of a task file; did you mean "depends_on"?',
    ]


@pytest.mark.parametrize(
    ("path", "folder", "owner"),
    [
        ("collaboration/inbox/a.yml", Folder.INBOX, ""),
        ("collaboration/assigned/dev/a.yaml", Folder.ASSIGNED, "dev"),
        ("collaboration/assigned/dev/more/a.yaml", Folder.ASSIGNED, "dev"),
        ("collaboration/done/dev/2026-02-12/a.yaml", Folder.DONE, "dev"),
        ("collaboration/done/dev/2026-02-12.17/a.yaml", Folder.DONE, "dev"),
        ("collaboration/done/dev/a.yaml", Folder.DONE, "dev"),
        ("collaboration/done/2026-02-12/a.yaml", Folder.DONE, ""),
        ("collaboration/fridge/a.yaml", Folder.FRIDGE, ""),
        ("collaboration/archive/2026-02/a.yaml", Folder.ARCHIVE, ""),
    ],
)
def test_a_path_says_its_folder_and_its_agent(path: str, folder: Folder, owner: str) -> None:
    candidate = candidate_at(path, b"", shown=f"work/{path}", before=b"")
    assert candidate is not None
    assert (candidate.folder, candidate.owner, candidate.before_folder) == (folder, owner, folder)
    assert (candidate.path, candidate.file_name) == (f"work/{path}", path.rpartition("/")[2])


@pytest.mark.parametrize(
    "path",
    [
        "collaboration/rejected/a.yaml",
        "collaboration/AGENT_STATUS.md",
        "collaboration/inbox/.a.yaml",
        "collaboration/inbox/a.yaml~",
        "collaboration/a.yaml",
        "telemetry/2026-02-12/a.jsonl",
        "runs/RUN-20260212-001/run.yaml",
        "a.yaml",
        "",
    ],
)
def test_no_task_lies_elsewhere(path: str) -> None:
    assert candidate_at(path, b"title: x\n") is None


def test_an_id_that_is_there_twice_is_told_at_the_second_file() -> None:
    files = [parse(b"id: a\nagent: b\ntitle: x\n", name="a.yaml", path=path) for path in ("x/a.yaml", "y/a.yaml")]
    twins = Twins()
    assert list(twins.problems_of(files[0])) == []
    (twin,) = twins.problems_of(files[1])
    assert (twin.path, twin.line, twin.message) == ("y/a.yaml", 1, "x/a.yaml has the same id")


def test_a_name_that_is_near_nothing_is_answered_with_what_there_is() -> None:
    assert nearest("qqq", ["b", "a"]) == "known are a, b"
    assert nearest("qqq", []) == "none is declared"
    assert nearest("QQ", [f"n{number:02}" for number in range(20)]).endswith("n11, ...")


def _refused(raw: bytes) -> tuple[Problem, ...]:
    try:
        parse(raw, name="a.yaml")
    except TaskFileRefused as refusal:
        return refusal.problems
    return ()


@settings(max_examples=200, deadline=None)
@given(
    raw=st.binary(max_size=200)
    | st.text(st.sampled_from("agent:titlsud -\n[]{}'\"#|>&*!%@`?,0é\t"), max_size=80).map(str.encode)
)
def test_no_bytes_are_beyond_it_and_it_refuses_whatever_parse_refuses(raw: bytes) -> None:
    candidate = candidate_at(INBOX, raw, before=raw)
    assert candidate is not None
    found = examine(candidate, KNOWN)
    refused = _refused(raw)
    assert {(one.line, one.key) for one in refused} <= {(one.line, one.key) for one in found.problems}
    assert (found.file is None) == bool(refused)
    assert all(one.message for one in found.problems)


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus of real tasks is not here")
def test_of_a_real_history_only_what_truly_disagrees_is_refused() -> None:
    found: dict[str, int] = {}
    count = 0
    for file in sorted(CORPUS.rglob("*")):
        candidate = candidate_at(f"collaboration/{file.relative_to(CORPUS).as_posix()}", b"")
        if candidate is None:
            continue
        real = candidate_at(f"collaboration/{file.relative_to(CORPUS).as_posix()}", file.read_bytes())
        assert real is not None
        count += 1
        result = examine(real, None)
        assert result.remarks == ()
        for problem in result.problems:
            found[problem.key] = found.get(problem.key, 0) + 1
    assert count > 100
    assert set(found) <= {"status", "id", ""}, found
