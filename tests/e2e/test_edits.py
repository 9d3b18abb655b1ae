"""`config set`, `config migrate` and `task fix`: edits of people's files, as people call them."""

import os
import pty
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import SECONDS, Ended, Template, World, daemon, wait_until

from orchestrator.adapters.place import find
from orchestrator.errors import BusyError, OrchestratorError
from orchestrator.wiring.editing import EditedFile, write_all
from orchestrator.wiring.mending import look

CONFIG = ("agents.yaml", "tools.yaml", "models.yaml", "policies.yaml")
POLICIES = """\
policies:
  default:
    daily_budget_usd: 10   # the board
    block_over_budget: false
  # the others
"""
MODELS = "models:\n  embedded: {price: free}\n  big:\n    cost_per_1k_tokens: {input: 0.003, output: 0.015}\n"
TASK = "assignee: writer\ntitle: Fares: winter\nstatus: TODO\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("edits"), {})


@pytest.fixture
def world(template: Template, tmp_path: Path) -> World:
    """A workspace."""
    return template.copy(tmp_path / "a repository")


def configuration(world: World) -> dict[str, bytes]:
    return {name: (world.root / "config" / name).read_bytes() for name in CONFIG}


def at_terminal(world: World, answer: bytes, *arguments: str) -> Ended:
    """A call at a terminal by somebody who answers its question."""
    ours, theirs = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if name != "CI"} | {"COLUMNS": "200"}
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator", *arguments],
        cwd=world.root,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environ,
    )
    os.close(theirs)
    seen = b""
    try:
        while more := _read(ours):
            seen += more
            if b"[y/N] " in seen and answer:
                os.write(ours, answer)
                answer = b""
        process.wait(SECONDS)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait(SECONDS)
        os.close(ours)
    return Ended(process.returncode, seen.decode(), "")


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 65_536)
    except OSError:
        return b""


# ---- config set


def test_a_value_is_set_and_taken_out_and_every_other_byte_stays(world: World) -> None:
    policies = world.root / "config/policies.yaml"
    before = b"\xef\xbb\xbf" + policies.read_bytes().replace(b"\n", b"\r\n").rstrip()
    policies.write_bytes(before)
    policies.chmod(0o666)
    done = world.well("config", "set", "policies.default.max_parallel", "2")
    old, new = b"max_parallel: 4 ", b"max_parallel: 2 "
    assert policies.read_bytes() == before.replace(old, new)
    assert "-    max_parallel: 4 " in done.out
    assert "+    max_parallel: 2 " in done.out
    assert stat.S_IMODE(policies.stat().st_mode) == 0o666
    world.well("config", "set", "policies.default.max_parallel", "4")
    world.well("config", "set", "policies.default.escalation", "[brief:embedded]")
    world.well("config", "set", "--unset", "policies.default.escalation")
    assert policies.read_bytes() == before
    again = world.well("config", "set", "policies.default.max_parallel", "4")
    assert (again.out, "says so already; nothing was changed" in again.err) == ("", True)
    assert sorted(path.name for path in policies.parent.iterdir()) == sorted(CONFIG)


def test_what_is_set_is_what_the_program_then_reads(world: World) -> None:
    world.well("config", "set", "models.gpt-6.1.price", "{input_mtok: 2, output_mtok: 10}")
    world.well("config", "set", "tools.brief.options.level", "007")
    world.well("config", "set", "agents.writer.aliases[2]", "42")
    listed = {one["name"]: one for one in world.well("models", "--json").data["models"]}
    assert "gpt-6.1" in listed
    state = world.well("tool", "show", "brief", "--json").data["state"]
    assert state["options"] == {"level": "007"}
    world.drop("x.yaml", "agent: '42'\ntitle: Tell\n")
    world.well("daemon", "--until-idle")
    assert list((world.root / "work/collaboration/done/writer").rglob("x.yaml"))


CALLS = {
    "a key that nothing knows": (
        ("policies.default.max_paralel", "2"),
        78,
        'policies.default.max_paralel: unknown key "max_paralel"; did you mean max_parallel?',
    ),
    "a value that does not fit": (("policies.default.max_parallel", "many"), 78, '"many" is not a count'),
    "a name that is nowhere": (("agents.writer.preferred_tool", "clade"), 78, 'there is no tool "clade"'),
    "a section that is none": (("agentz.writer.policy", "x"), 2, "did you mean agents?"),
    "what is no key": (("policies..x", "1"), 2, "'policies..x' is no key; write e.g."),
    "what is no value": (("policies.default.max_parallel", "{a: "), 2, "is no value"),
    "a value that has no keys": (("policies.default.timezone.x", "1"), 2, "policies.default.timezone is no mapping"),
    "nothing to take out": (("--unset", "policies.default.limits"), 4, "does not say policies.default.limits"),
    "a key without a value": (("policies.default.review",), 2, "give KEY and VALUE, or --unset and KEY"),
    "a key with both": (("--unset", "policies.default.review", "none"), 2, "give KEY and VALUE, or --unset and KEY"),
}


def test_what_cannot_be_set_is_told_and_changes_nothing(template: Template) -> None:
    world = template.world
    before = configuration(world)
    for case, (arguments, code, message) in CALLS.items():
        ended = world("config", "set", *arguments)
        assert (ended.code, ended.out) == (code, ""), case
        assert message in ended.err, case
    assert configuration(world) == before


def test_a_configuration_with_two_mistakes_can_be_mended_one_by_one(world: World) -> None:
    world.well("config", "set", "policies.default.review", "merge")
    policies = world.root / "config/policies.yaml"
    policies.write_text(policies.read_text().replace("review: merge", "review: mrge\n    timezone: Nowhere/City", 1))
    policies.write_text(policies.read_text().replace("    timezone: UTC", "    # timezone: UTC"))
    first = world.well("config", "set", "policies.default.review", "merge")
    assert "left as before: 1 problem; see it with: orchestrator config validate" in first.err
    world.well("config", "set", "policies.default.timezone", "UTC")
    assert world("config", "set", "policies.default.review", "mrge").code == 78


def test_an_entry_that_was_not_there_is_told_and_a_file_that_is_missing_is_made(world: World) -> None:
    models = world.root / "config/models.yaml"
    models.unlink()
    world.well("config", "set", "agents.writer.preferred_model", "embedded")  # by now only the tool knows it
    done = world.well("config", "set", "models.embedded.price", "free")
    assert models.read_text() == "models:\n  embedded:\n    price: free\n"
    assert "orchestrator config set --unset models.embedded" in done.err


def test_the_users_own_file_is_made_changed_and_checked(world: World) -> None:
    before = configuration(world)
    limits = "[{period: day, max_usd: 5}]"
    done = world.well("config", "set", "--file", "user", "policies.default.limits", limits, "--json").data
    own = Path(done["file"])
    assert own.read_text() == f"policies:\n  default:\n    limits: {limits}\n"
    assert (done["changed"], configuration(world) == before) == (True, True)
    refused = world("config", "set", "--file", "user", "policies.default.limits[0].max_usd", "none")
    assert refused.code == 78
    assert f"{own}:3:" in refused.err
    elsewhere = own.rename(own.parent.parent / "mine.yaml")
    own.symlink_to(elsewhere)  # as people do who keep their own files in a repository
    world.well("config", "set", "--file", "user", "--unset", "policies.default.limits")
    assert (own.is_symlink(), "limits" in elsewhere.read_text()) == (True, False)


def test_a_layer_above_that_says_something_else_is_named(world: World) -> None:
    key, over = "policies.default.max_parallel", {"ORCHESTRATOR_POLICIES__DEFAULT__MAX_PARALLEL": "9"}
    done = world("config", "set", key, "3", env=over)
    told = "in force is policies.default.max_parallel: 9 all the same"
    assert (done.code, told in done.err, next(iter(over)) in done.err) == (0, True, True)
    assert told not in world.well("config", "set", key, "4").err
    own = world.well("config", "set", "--file", "user", "trail.mode", "none")
    assert "in force is trail.mode: own all the same, from config/policies.yaml" in own.err


def test_a_value_that_begins_with_a_dash_goes_behind_two(world: World) -> None:
    world.well("config", "set", "--", "tools.brief.options.level", "-5")
    assert "level: '-5'" in (world.root / "config/tools.yaml").read_text()


def test_many_values_set_at_once_are_all_there(world: World) -> None:
    keys = {f"checks.c{number}.command": f"[c{number}]" for number in range(6)}
    running = [world.begin("config", "set", key, value) for key, value in keys.items()]
    ended = [process.communicate(timeout=SECONDS) for process in running]
    assert [err for process, (_, err) in zip(running, ended, strict=True) if process.returncode] == []
    text = (world.root / "config/policies.yaml").read_text()
    assert all(f"c{number}: {{command: [c{number}]}}" in text for number in range(6))


def test_a_link_and_a_folder_that_is_missing_are_told(world: World, tmp_path: Path) -> None:
    policies = world.root / "config/policies.yaml"
    policies.rename(tmp_path / "elsewhere.yaml")
    policies.symlink_to(tmp_path / "elsewhere.yaml")
    assert "is a link" in world("config", "set", "orphan_grace", "1m").err
    bare = tmp_path / "bare"
    bare.mkdir()
    missing = World(bare)("--no-git", "config", "set", "orphan_grace", "1m")
    assert (missing.code, "make it with: orchestrator init" in missing.err) == (4, True)


# ---- config migrate


def test_older_spellings_are_shown_first_and_written_when_that_is_said(world: World) -> None:
    assert "written as today already" in world.well("config", "migrate").out
    (world.root / "config/policies.yaml").write_text(POLICIES)
    (world.root / "config/models.yaml").write_text(MODELS)
    before = configuration(world)
    for arguments in ((), ("--check",), ("--check", "--json"), ("--json",)):
        shown = world("config", "migrate", *arguments)
        assert (shown.code, configuration(world) == before) == (1, True), arguments
    assert "+      - {period: day, max_usd: 10, type: soft}   # the board\n" in world("config", "migrate").out
    assert "orchestrator config migrate --yes" in world("config", "migrate").err
    done = world.well("config", "migrate", "--yes")
    assert "wrote config/models.yaml and config/policies.yaml" in done.out
    assert (world.root / "config/policies.yaml").read_text() == (
        "policies:\n  default:\n    limits:\n      - {period: day, max_usd: 10, type: soft}   # the board\n"
        "  # the others\n"
    )
    assert "price: {input_mtok: 3, output_mtok: 15}" in (world.root / "config/models.yaml").read_text()
    assert world.well("config", "migrate", "--check", "--json").data == {"files": [], "written": False}
    assert world("config", "migrate", "--yes", "--check").code == 2


def test_somebody_at_a_terminal_is_asked(world: World) -> None:
    policies = world.root / "config/policies.yaml"
    policies.write_text(POLICIES)
    for answer in (b"n\n", b"\n", b"\x04"):
        refused = at_terminal(world, answer, "config", "migrate")
        assert refused.code in {1, 130}
        assert "Write this? [y/N]" in refused.out
        assert "\x1b[32m+" in refused.out
        assert policies.read_text() == POLICIES
    assert at_terminal(world, b"y\n", "config", "migrate").code == 0
    assert "daily_budget_usd" not in policies.read_text()


def test_a_configuration_that_is_refused_is_not_migrated(world: World) -> None:
    policies = world.root / "config/policies.yaml"
    policies.write_text(POLICIES + "nope: 1\n")
    refused = world("config", "migrate", "--yes")
    assert (refused.code, 'unknown key "nope"' in refused.err) == (78, True)
    assert policies.read_text() == POLICIES + "nope: 1\n"


def test_the_users_own_file_with_older_spellings_is_migrated(world: World) -> None:
    assert "written as today already" in world.well("config", "migrate", "--file", "user").out
    world.well("config", "set", "--file", "user", "orphan_grace", "3m")
    own = Path(os.environ["XDG_CONFIG_HOME"]) / "orchestrator/policies.yaml"
    own.write_text("policies:\n  default: {monthly_budget_usd: 7}  # mine\n")
    assert world("status").code in {0, 78}
    world.well("config", "migrate", "--file", "user", "--yes")
    assert own.read_text() == "policies:\n  default: {limits: [{period: month, max_usd: 7, type: hard}]}  # mine\n"
    world.well("config", "migrate", "--check")


def test_of_several_files_all_are_written_or_none(world: World) -> None:
    place = find(world.root)
    before = configuration(world)
    files = [EditedFile(place, name) for name in ("models.yaml", "policies.yaml")]
    for one in files:
        one.text += "# more\n"
    files[1].file.write_bytes(before["policies.yaml"] + b"# theirs\n")
    with pytest.raises(BusyError, match=r"config/policies\.yaml was changed meanwhile"):
        write_all(files)
    assert configuration(world) == before | {"policies.yaml": before["policies.yaml"] + b"# theirs\n"}

    files = [EditedFile(place, name) for name in ("models.yaml", "policies.yaml")]
    for one in files:
        one.text += "# more\n"
    files[1].file = Broken(files[1].file)
    with pytest.raises(OrchestratorError, match="nothing was changed"):
        write_all(files)
    assert configuration(world)["models.yaml"] == before["models.yaml"]


class Broken(type(Path())):  # type: ignore[misc]  # the class of this system
    """A path beside which nothing can be written."""

    def with_name(self, name: str) -> Path:
        return Path("/proc/no-such-folder") / name


# ---- task fix


def test_a_file_is_shown_mended_and_written_when_that_is_said(world: World) -> None:
    file = world.root / "fares.yaml"
    file.write_text(TASK)
    for arguments in ((), ("--check",), ("--json",)):
        shown = world("task", "fix", *arguments, "fares.yaml")
        assert (shown.code, file.read_text()) == (1, TASK), arguments
    shown = world("task", "fix", "fares.yaml")
    assert "-title: Fares: winter\n" in shown.out
    assert "+title: 'Fares: winter'\n" in shown.out
    assert "fares.yaml:1: `assignee` is written `agent` today" in shown.err
    assert "orchestrator task fix --yes fares.yaml" in shown.err
    file.chmod(0o660)
    assert "wrote 1 file" in world.well("task", "fix", "--yes", "fares.yaml").out
    assert file.read_text() == "agent: writer\ntitle: 'Fares: winter'\nstatus: new\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o660
    assert "nothing to mend in 1 file" in world.well("task", "fix", "--check", "fares.yaml").out
    world.well("submit", "fares.yaml")


def test_what_cannot_be_mended_is_shown_with_its_line_and_left(world: World) -> None:
    for name, text in (("a.yaml", TASK), ("b.yaml", "title: x\nstatus: ready\n")):
        (world.root / name).write_text(text)
    done = world("task", "fix", "--yes", "a.yaml", "b.yaml", "--json")
    assert done.code == 1
    assert [(one["file"], one["is_task"], one["written"]) for one in done.data["files"]] == [
        ("a.yaml", True, True),
        ("b.yaml", False, False),
    ]
    said = world("task", "fix", "b.yaml")
    assert 'b.yaml:2:9: status: "ready" is not a status' in said.out
    assert "    2 | status: ready" in said.out
    assert "1 file cannot be mended without knowing what was meant" in said.err
    assert (world.root / "b.yaml").read_text() == "title: x\nstatus: ready\n"


def test_somebody_at_a_terminal_is_asked_before_a_task_is_written(world: World) -> None:
    file = world.root / "fares.yaml"
    file.write_text(TASK)
    assert at_terminal(world, b"n\n", "task", "fix", "fares.yaml").code == 1
    assert file.read_text() == TASK
    assert at_terminal(world, b"yes\n", "task", "fix", "fares.yaml").code == 0
    assert file.read_text() != TASK


def test_outside_of_any_workspace_a_file_is_mended_as_well(tmp_path: Path) -> None:
    (tmp_path / "fares.yaml").write_text(TASK)
    World(tmp_path).well("task", "fix", "--yes", "fares.yaml")
    assert "agent: writer" in (tmp_path / "fares.yaml").read_text()


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("no.yaml", 4, "no.yaml: there is no such file"),
        ("README.md", 1, "README.md is no task file"),
        ("link.yaml", 1, "link.yaml is a link"),
        ("folder.yaml", 1, "folder.yaml cannot be read"),
    ],
)
def test_what_is_no_file_to_mend_is_told(world: World, name: str, code: int, message: str) -> None:
    (world.root / "link.yaml").symlink_to("x.yaml")
    (world.root / "folder.yaml").mkdir()
    ended = world("task", "fix", name)
    assert (ended.code, message in ended.err) == (code, True)


def test_a_rejected_file_is_mended_and_submitted_as_it_is_told(world: World) -> None:
    world.drop("fares.yaml", TASK)
    rejected = world.root / "work/collaboration/rejected/fares.yaml"
    with daemon(world):
        wait_until(rejected.exists, "it is rejected")
        told = world.well("task", "fix", "--yes", "work/collaboration/rejected/fares.yaml")
        following = told.err.splitlines()[-1]
        assert following == "next: orchestrator submit work/collaboration/rejected/fares.yaml"
        world.well(*following.removeprefix("next: orchestrator ").split())
        wait_until(lambda: bool(list((world.root / "work/collaboration/done").rglob("fares.yaml"))), "it is done")


def test_a_task_that_a_daemon_works_with_is_left_to_it(world: World) -> None:
    assigned = world.root / "work/collaboration/assigned/person/sign.yaml"
    with daemon(world):
        world.drop("sign.yaml", "agent: person\ntitle: Sign it\npriority: HIGH\n")
        wait_until(assigned.exists, "it is assigned")
        wait_until(lambda: "status: assigned" in assigned.read_text(), "its file says so")
        before = assigned.read_bytes()
        refused = world("task", "fix", "--yes", str(assigned))
        assert refused.code == 1
        assert "works with it; wait, or take it back first: orchestrator cancel sign" in refused.err
        assert assigned.read_bytes() == before
        world.well("cancel", "sign")
        world.well("task", "fix", "--yes", str(assigned))
        assert "priority: high" in assigned.read_text()


def test_a_file_in_the_inbox_that_was_claimed_meanwhile_is_not_written_again(world: World) -> None:
    inbox = world.root / "work/collaboration/inbox"
    world.drop("fares.yaml", TASK)
    place = find(world.root)
    (looked,) = look(place, [str(inbox / "fares.yaml")])
    (inbox / "fares.yaml").rename(inbox.parent / "elsewhere.yaml")
    with pytest.raises(BusyError, match="was taken up meanwhile; nothing was changed"):
        looked.write()
    assert list(inbox.glob("*fares*")) == []
    (inbox / "fares.yaml").write_text("agent: writer\ntitle: mine\n")
    with pytest.raises(BusyError, match="was changed meanwhile"):
        looked.write()
    assert (inbox / "fares.yaml").read_text() == "agent: writer\ntitle: mine\n"
    (inbox / "fares.yaml").write_text(TASK)
    looked.write()
    assert (inbox / "fares.yaml").read_text().startswith("agent: writer\n")
    assert [path.name for path in inbox.iterdir() if path.name != ".gitkeep"] == ["fares.yaml"]
