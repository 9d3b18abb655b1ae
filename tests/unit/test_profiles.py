"""Agent profiles: front matter that people write for other tools too, and a body that is the system prompt."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.problem import render
from orchestrator.taskfile import front_matter_body
from orchestrator.taskfile.profile import Profile, parse

REAL = Path(__file__).parents[3] / "shared" / "corpus" / "agents"


def read(text: str) -> Profile:
    return parse(text.encode(), path="a.agent.md")


def heads(profile: Profile) -> list[str]:
    """What is wrong with it, a line each."""
    return [render(one).splitlines()[0] for one in (*profile.problems, *profile.faults)]


def test_a_profile_is_its_front_matter_and_its_body() -> None:
    found = read(
        "---\nname: backend-benny\ndescription: Builds.\ntools: [read, edit]\nmodel: sonnet\n---\n\n# You\n\nDo.\n"
    )
    assert (found.name, found.description, found.tools) == ("backend-benny", "Builds.", ("read", "edit"))
    assert (found.body, found.extras) == ("# You\n\nDo.", {"model": "sonnet"})
    assert (found.problems, found.faults, found.remarks) == ((), (), ())


def test_tools_may_be_a_text_with_commas() -> None:
    assert read("---\ntools: Read, Grep,Bash\n---\nB\n").tools == ("Read", "Grep", "Bash")


def test_a_file_without_front_matter_is_all_body() -> None:
    found = read("# Writer\n\nYou write.\n")
    assert (found.body, found.name) == ("# Writer\n\nYou write.", "")
    assert [one.message for one in found.remarks] == ["it has no name", "it has no description"]
    assert heads(found) == []


def test_an_empty_front_matter_is_no_mistake() -> None:
    assert heads(read("---\n---\nBody\n")) == []


WRONG = {
    "a name that is no text": (
        "---\nname: 7\n---\nB\n",
        "a.agent.md:2:7: name: 7 stands where a text is wanted; put it",
    ),
    "a description that is a list": (
        "---\nname: a\ndescription: [x]\n---\nB\n",
        "a.agent.md:3:14: description: a list stands where a text is wanted",
    ),
    "tools that are a mapping": (
        "---\ntools: {a: b}\n---\nB\n",
        "a.agent.md:2:8: tools: a mapping is no list of tools",
    ),
    "no body": ("---\nname: a\n---\n\n  \n", "a.agent.md: the body is empty"),
    "nothing at all": ("", "a.agent.md: the body is empty"),
    "front matter without an end": (
        "---\nname: a\n# You\n",
        "a.agent.md:1:1: the front matter that begins here has no end",
    ),
    "a list for front matter": (
        "---\n- a\n---\nB\n",
        "a.agent.md:2:1: a list stands where the keys of the front matter",
    ),
    "a colon in a text": (
        "---\nname: a\ndescription: Use it when: always\n---\nB\n",
        "a.agent.md:3:25: text that holds `: ` must be quoted",
    ),
    "a key twice": ("---\nname: a\nname: b\n---\nB\n", 'a.agent.md:3:1: "name" is there twice, first on line 2'),
    "an alias": ("---\nname: *a\n---\nB\n", "a.agent.md:2:7: an alias (*a) is not read"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_with_its_place(text: str, message: str) -> None:
    found = heads(read(text))
    assert len(found) == 1, found
    assert found[0].startswith(message), found


def test_what_is_not_utf_8_is_told() -> None:
    assert heads(parse(b"---\nname: \xff\n---\n", path="a"))[0].startswith("a:2:7: byte 0xff is not UTF-8")


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared corpus is not here")
def test_every_real_profile_is_read() -> None:
    files = sorted(REAL.glob("*.agent.md"))
    assert len(files) == 21
    for file in files:
        found = parse(file.read_bytes(), path=file.name)
        assert (found.problems, found.faults, found.remarks) == ((), (), ()), file.name
        assert found.name
        assert found.tools
        assert len(found.body) > 1000


_LINES = st.sampled_from(
    [
        "---",
        "--- # x",
        "...",
        "name: a",
        "name: [a]",
        "tools: a, b",
        "# Head",
        "",
        "text",
        "  - x",
        "description: d",
        "\r",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_LINES, max_size=9).map("\n".join))
def test_the_body_is_what_a_task_is_given_wherever_the_profile_is_good(text: str) -> None:
    found = read(text)
    if not found.problems:
        assert found.body == front_matter_body(text)
    assert parse(text.encode(), path="a.agent.md") == found
