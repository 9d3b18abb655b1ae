"""`orchestrator exec`: one task now, with and without a daemon, through files, events and commits as any other."""

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import Template, World, daemon, repository, wait_until

TOOLS = """
tools:
  echo:                     # answers with what it was asked
    binary: sh
    command: ["{binary}", "-c", "cat"]
  first:
    binary: sh
    command: ["{binary}", "-c", "echo the first answer"]
  fails:
    binary: sh
    command: ["{binary}", "-c", "echo half an answer; echo broken >&2; exit 3"]
  nothing:
    binary: "true"
    command: ["{binary}"]
    capabilities: [silent]
  waits:                    # says that it runs, then waits to be ended
    binary: sh
    command: ["{binary}", "-c", "echo begun; exec sleep 60"]
  stubborn:
    binary: sh
    command: ["{binary}", "-c", "trap '' INT TERM; echo begun; while :; do sleep 1; done"]
  quick:
    binary: sh
    command: ["{binary}", "-c", "exec sleep 60"]
    timeout: 1s
  absent:
    binary: no-such-program-anywhere
    command: ["{binary}"]
  modelled:
    binary: sh
    command: ["{binary}", "-c", "echo asked for $1", "sh", "{model}"]
    models: [small, large]
"""
MODELS = """
models:
  small: {provider: here, price: free, aliases: [s]}
  large: {provider: here, price: free}
"""
AGENTS = """
agents:
  dev: {preferred_tool: echo, aliases: [developer]}
  cautious: {preferred_tool: absent, fallback_chain: [first]}
  stuck: {preferred_tool: absent}
  person: {manual: true}
"""


CONFIGURATION = {"tools": TOOLS, "models": MODELS, "agents": AGENTS}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A workspace with tools of ours. No task may choose its tool here."""
    return Template(tmp_path_factory.mktemp("made"), CONFIGURATION)


@pytest.fixture
def world(template: Template, tmp_path: Path) -> World:
    """One of the test's own."""
    return template.copy(tmp_path / "repo")


@pytest.fixture
def kept(template: Template) -> World:
    """One for all tests that change nothing in it."""
    return template.world


def commits(world: World) -> str:
    """All messages of the trail, the newest first."""
    return world.git("log", "--format=%B", "orchestrator/work")


# --- the straight path ---------------------------------------------------------------------------------------------


def test_the_answer_alone_is_on_stdout_and_all_else_on_stderr(world: World) -> None:
    ended = world.well("exec", "--agent", "dev", "--prompt", "Say this again")
    assert ended.out == "Say this again\n"
    assert "dev with echo" in ended.err
    assert "done" in ended.err


def test_it_leaves_the_file_the_events_and_the_commits_of_any_task(tmp_path: Path) -> None:
    # No copy: its index in work/ was written by somebody else, so that what changed lately is compared with the disk.
    world = repository(tmp_path / "repo")
    world.well("init")
    world.configure(CONFIGURATION)
    data = world.well("exec", "--agent", "developer", "--prompt", "# Winter fares\n\nGo on", "--json").data
    assert data["verdict"] == "done"
    assert data["text"] == "# Winter fares\n\nGo on"
    file = world.root / "work" / data["paths"]["task"]
    text = file.read_text()
    assert "title: Winter fares" in text
    assert "created_by: exec" in text
    assert "status: done" in text
    kinds = [event["event"] for event in world.events_of(data["id"])]
    assert kinds == [
        "task_submitted",
        "task_claimed",
        "route_planned",
        "execution_started",
        "execution_finished",
        "task_completed",
    ]
    moves = [line for line in commits(world).splitlines() if line.startswith("Task-Transition")]
    assert moves[:3] == [
        "Task-Transition: in_progress -> done",
        "Task-Transition: assigned -> in_progress",
        "Task-Transition: new -> assigned",
    ]
    assert world.git("-C", "work", "status", "--porcelain") == ""
    assert (world.root / "work" / data["paths"]["log"]).is_file()


def test_a_running_daemon_does_it_and_the_result_is_the_same(world: World) -> None:
    asked = ("exec", "--agent", "dev", "--prompt", "Say this again", "--tool", "first", "--json")
    alone = world.well(*asked).data
    with daemon(world):
        by_daemon = world.well(*asked).data
    own = {"id", "paths", "duration_ms", "why"}
    assert {k: v for k, v in by_daemon.items() if k not in own} == {k: v for k, v in alone.items() if k not in own}
    assert by_daemon["text"] == "the first answer"
    assert by_daemon["paths"]["task"].startswith("collaboration/done/dev/")
    for key in ("event", "reason", "status", "tool"):
        ours = [event.get(key) for event in world.events_of(by_daemon["id"])]
        assert sorted(map(str, ours)) == sorted(str(event.get(key)) for event in world.events_of(alone["id"]))


def test_it_exits_with_1_and_prints_no_answer_where_the_tool_fails(world: World, tmp_path: Path) -> None:
    target = tmp_path / "answer.md"
    ended = world("exec", "--agent", "dev", "--prompt", "x", "--tool", "fails", "--output", str(target))
    assert (ended.code, ended.out) == (1, "")
    assert "crashed" in ended.err
    assert not target.exists()
    data = world("exec", "--agent", "dev", "--prompt", "x", "--tool", "fails", "--json").data
    assert (data["exit_code"], data["status"], data["tool_exit_code"]) == (1, "error", 3)


def test_it_exits_with_124_where_the_tool_takes_too_long(world: World) -> None:
    ended = world("exec", "--agent", "dev", "--prompt", "x", "--tool", "quick", "--json")
    assert (ended.code, ended.data["verdict"]) == (124, "timeout")


def test_a_silent_tool_is_done_without_an_answer(world: World) -> None:
    ended = world.well("exec", "--agent", "dev", "--prompt", "x", "--tool", "nothing")
    assert ended.out == ""


# --- tool and model ------------------------------------------------------------------------------------------------


def test_the_tool_and_model_of_a_person_are_taken_though_tasks_may_not_choose(world: World) -> None:
    ended = world.well("exec", "--agent", "dev", "--prompt", "x", "--tool", "modelled", "--model", "large", "--json")
    assert ended.data["text"] == "asked for large"
    assert ended.data["reason"] == "requested"
    submitted = world.events_of(ended.data["id"])[0]
    assert submitted["requested"] == {"tool": "modelled", "model": "large"}


def test_an_alias_of_a_model_will_do_and_without_one_the_first_of_the_tool_is_taken(world: World) -> None:
    asked = ("exec", "--agent", "dev", "--prompt", "x", "--tool", "modelled")
    assert world.well(*asked, "--model", "s").out == "asked for small\n"
    assert world.well(*asked).out == "asked for small\n"


@pytest.mark.parametrize("claim", ["created_by: exec\n", "created_by: exec\nforced: true\njustification: mine\n"])
def test_a_task_file_cannot_forge_the_wish_of_a_person(world: World, claim: str) -> None:
    world.drop("forged.yaml", f"id: forged\nagent: dev\ntool: first\nrequested: {{tool: first}}\n{claim}prompt: mine\n")
    world.well("daemon", "--until-idle")
    started = next(event for event in world.events_of("forged") if event["event"] == "execution_started")
    assert (started["tool"], started["reason"]) == ("echo", "preferred")


def test_a_missing_preferred_tool_falls_to_the_chain_and_says_so(world: World) -> None:
    ended = world.well("exec", "--agent", "cautious", "--prompt", "x")
    assert ended.out == "the first answer\n"
    assert "Primary tool absent unavailable, trying fallback" in ended.err


def test_without_any_tool_it_is_refused_with_the_reasons_and_nothing_is_left(world: World) -> None:
    ended = world("exec", "--agent", "stuck", "--prompt", "x")
    assert ended.code == 1
    assert "No available tools in fallback chain" in ended.err
    assert "absent: no-such-program-anywhere" in ended.err
    assert not list((world.root / "work" / "collaboration").rglob("exec-*.yaml"))


# --- what it is given ----------------------------------------------------------------------------------------------


def test_the_prompt_comes_from_stdin_a_file_or_the_option(world: World) -> None:
    (world.root / "ask.md").write_text("From a file\n")
    assert world.well("exec", "--agent", "dev", stdin="From stdin\n").out == "From stdin\n"
    assert world.well("exec", "--agent", "dev", "--prompt-file", "ask.md").out == "From a file\n"
    assert world.well("exec", "--agent", "dev", "--prompt-file", "-", stdin="A dash\n").out == "A dash\n"


def test_context_is_given_within_the_prompt_and_named_in_the_task(world: World, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text("far ```` away\n")
    (world.root / "docs").mkdir()
    (world.root / "docs" / "near.md").write_text("near by\n")
    ended = world.well(
        "exec",
        "--agent",
        "dev",
        "--prompt",
        "Read",
        "--context",
        "docs/near.md",
        str(tmp_path / "outside.md"),
        "--json",
    )
    text = ended.data["text"]
    assert "## Context: near.md\n\n```\nnear by\n```" in text
    assert "`````\nfar ```` away\n`````" in text
    task = (world.root / "work" / ended.data["paths"]["task"]).read_text()
    assert "docs/near.md" in task
    assert str(tmp_path) not in task


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--agent", "dev"), 2, "the prompt is empty"),
        (("--agent", "dev", "--prompt", " "), 2, "the prompt is empty"),
        (("--prompt", "x"), 2, "--agent"),
        (("--agent", "nobody", "--prompt", "x"), 4, 'no agent is called "nobody"'),
        (("--agent", "person", "--prompt", "x"), 1, "a person's role"),
        (("--agent", "dev", "--prompt", "x", "--tool", "ecko"), 4, "did you mean 'echo'?"),
        (("--agent", "dev", "--prompt", "x", "--prompt-file", "y"), 2, "not both"),
        (("--agent", "dev", "--prompt", "x", "--context", "gone.md"), 2, "no such file"),
        (("--agent", "dev", "--prompt", "x", "--context", "config"), 2, "is a folder"),
        (("--agent", "dev", "--prompt-file", "-", "--context", "-"), 2, "not both"),
        (("--agent", "dev", "--prompt", "x", "--force"), 2, "--justification"),
        (("--agent", "dev", "--prompt", "x", "--output", "config"), 2, "is a folder"),
        (("--agent", "dev", "--prompt", "x", "--output", "no/where.md"), 2, "mkdir -p no"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_runs(
    kept: World, arguments: tuple[str, ...], code: int, says: str
) -> None:
    ended = kept("exec", *arguments)
    assert (ended.code, ended.out) == (code, "")
    assert says in ended.err
    assert not list((kept.root / "work" / "collaboration").rglob("exec-*.yaml"))


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"x" * (1 << 20), "1 MiB"), (b"one\n\xff\n", ":2: not UTF-8"), (b"a\0b", "NUL")],
    ids=["too large", "no UTF-8", "a NUL"],
)
def test_context_that_no_prompt_can_hold_is_refused(world: World, content: bytes, says: str) -> None:
    (world.root / "big.txt").write_bytes(content)
    ended = world("exec", "--agent", "dev", "--prompt", "Read", "--context", "big.txt")
    assert ended.code == 1
    assert says in ended.err


def test_on_a_terminal_with_nothing_to_do_it_says_what_to_give(world: World) -> None:
    code, shown = on_a_terminal(world, "exec", "--agent", "dev")
    assert code == 2
    assert "--prompt TEXT, --prompt-file FILE, or a prompt on stdin" in shown


def on_a_terminal(world: World, *arguments: str) -> tuple[int, str]:
    """Exit code, and all that the terminal showed."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *arguments], cwd=world.root, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        while True:
            try:
                part = terminal.read(4096)
            except OSError:  # Linux says so when the last writer of a terminal is gone
                break
            if not part:
                break
            shown += part
    return process.wait(60), shown.decode().replace("\r\n", "\n")


def test_on_a_terminal_what_is_printed_shows_as_it_comes_and_once(world: World) -> None:
    code, shown = on_a_terminal(world, "exec", "--agent", "dev", "--prompt", "Once and no more")
    assert code == 0, shown
    assert shown.count("Once and no more") == 1


# --- force, output -------------------------------------------------------------------------------------------------


def test_force_and_its_reason_are_in_the_events_and_in_the_commit(world: World) -> None:
    reason = "the release waits\nTask-Id: forged"
    data = world.well("exec", "--agent", "dev", "--prompt", "x", "--force", "--justification", reason, "--json").data
    submitted = world.events_of(data["id"])[0]
    assert (submitted["forced"], submitted["justification"]) == (True, reason)
    claim = world.git("log", "--format=%B", f"--grep=task: assigned {data['id']}", "orchestrator/work")
    assert "Forced: the release waits Task-Id: forged\n" in claim


def test_output_replaces_a_file_whole_and_keeps_its_mode(world: World) -> None:
    target = world.root / "plan.md"
    target.write_text("old")
    target.chmod(0o640)
    ended = world.well("exec", "--agent", "dev", "--prompt", "new", "--output", "plan.md")
    assert (target.read_text(), ended.out) == ("new\n", "")
    assert target.stat().st_mode & 0o777 == 0o640
    assert not list(world.root.glob(".plan*"))


def test_an_answer_that_cannot_be_written_is_not_lost(world: World) -> None:
    ended = world("exec", "--agent", "dev", "--prompt", "kept", "--output", "/dev/full")
    assert ended.code == 1
    assert "its answer lies in" in ended.err
    log = next(part for part in ended.err.split() if part.startswith("work/reports/logs/"))
    assert "kept" in (world.root / log).read_text()


# --- one after another ---------------------------------------------------------------------------------------------


def test_the_output_of_one_as_the_context_of_the_next_links_the_two(world: World) -> None:
    first = world.well("exec", "--agent", "dev", "--prompt", "A plan", "--output", "plan.md", "--json").data
    second = world.well("exec", "--agent", "dev", "--prompt", "Do it", "--context", "plan.md", "--json").data
    task = (world.root / "work" / second["paths"]["task"]).read_text()
    invocation = next(e["invocation_id"] for e in world.events_of(first["id"]) if e["event"] == "task_completed")
    assert first["id"] in task
    assert invocation in task
    assert world.events_of(second["id"])[0]["follows"] == [first["id"]]
    assert f"Follows: {first['id']}" in commits(world)


def test_an_answer_through_a_pipe_links_the_two(world: World) -> None:
    program = f"{shlex.quote(sys.executable)} -m orchestrator exec"
    line = f"{program} --agent dev --tool first --prompt x | {program} --agent dev --prompt 'Sum up' - --json"
    ended = subprocess.run(["sh", "-c", line], cwd=world.root, capture_output=True, text=True, timeout=60, check=True)
    data = json.loads(ended.stdout)["data"]
    assert "## Context: stdin\n\n```\nthe first answer\n```" in data["text"]
    (followed,) = world.events_of(data["id"])[0]["follows"]
    assert followed.startswith("exec-")
    assert followed in ended.stderr


def test_context_that_nobody_answered_links_nothing(world: World) -> None:
    world.well("exec", "--agent", "dev", "--prompt", "A plan")
    data = world.well("exec", "--agent", "dev", "--prompt", "Read", "--context", "README.md", "--json").data
    assert "follows" not in world.events_of(data["id"])[0]
    assert "Follows:" not in commits(world)


# --- the end before the end ----------------------------------------------------------------------------------------


def begun(world: World, tool: str, *more: str) -> "subprocess.Popen[str]":
    """An exec whose tool runs."""
    process = world.begin("exec", "--agent", "dev", "--prompt", "x", "--tool", tool, *more)
    logs = world.root / ".git" / "orchestrator" / "logs"
    wait_until(lambda: any(file.stat().st_size for file in logs.rglob("*.out")), "the tool runs")
    return process


def cancelled_task(world: World) -> str:
    """The one that lies in assigned/."""
    (task,) = [path.stem for path in (world.root / "work" / "collaboration" / "assigned").rglob("exec-*.yaml")]
    return task


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("how", ["alone", "by the daemon"])
def test_a_signal_cancels_it_and_that_is_recorded(world: World, how: str, number: signal.Signals) -> None:
    def cancelled() -> None:
        process = begun(world, "waits")
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 128 + number, errors
        assert "press again to end it at once" in errors

    if how == "alone":
        cancelled()
    else:
        with daemon(world):
            cancelled()
    task = cancelled_task(world)
    last = world.events_of(task)[-1]
    assert (last["event"], last["error_kind"]) == ("task_cancelled", "cancelled")
    assert "cancelled with" in last["why"]
    assert f"cancelled {task}" in commits(world)


def test_a_second_press_skips_the_graces(world: World) -> None:
    process = begun(world, "stubborn")
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    said = ""
    while "press again" not in said:
        said += process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, rest = process.communicate(timeout=8)  # the graces are 15 s
    assert process.returncode == 130
    assert "ending it at once" in rest


def test_a_reader_who_goes_away_cancels_it(world: World) -> None:
    process = begun(world, "waits")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    process.communicate(timeout=60)
    assert process.returncode == 141
    task = cancelled_task(world)
    assert "went away" in world.events_of(task)[-1]["why"]


def test_a_second_exec_beside_one_that_runs_needs_a_daemon(world: World) -> None:
    with daemon(world):
        one = begun(world, "waits")
        assert world.well("exec", "--agent", "dev", "--prompt", "beside").out == "beside\n"
        one.send_signal(signal.SIGINT)
        one.communicate(timeout=60)


def test_what_is_printed_streams_to_stderr_where_stdout_is_a_pipe(world: World) -> None:
    process = world.begin("exec", "--agent", "dev", "--prompt", "x", "--tool", "waits", "--stream")
    assert process.stderr is not None
    said = ""
    while "begun" not in said:
        line = process.stderr.readline()
        assert line, said
        said += line
    process.send_signal(signal.SIGINT)
    answer, _ = process.communicate(timeout=60)
    assert answer == ""
