"""The pages about commands say what the commands say."""

import re
import tomllib
from pathlib import Path

import pytest

from orchestrator.cli.reference import render
from orchestrator.cli.topics import EXIT_CODES, TOPICS

DOCS = Path(__file__).parents[2] / "docs"
ROOT = DOCS.parent

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the docs are not beside the tests here")


def test_the_page_of_commands_is_what_the_commands_print() -> None:
    written = (DOCS / "reference" / "commands.md").read_text()
    # Versions of click break lines in other places; the words are what counts.
    assert written.split() == render().split(), (
        "make it again: python -m orchestrator.cli.reference > docs/reference/commands.md"
    )


def test_the_page_of_exit_codes_holds_the_table() -> None:
    assert EXIT_CODES in (DOCS / "reference" / "exit-codes.md").read_text()


def test_every_library_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    table = (DOCS / "explanation" / "dependencies.md").read_text().casefold()
    names = [re.split(r"[^a-z0-9-]", wanted.casefold())[0] for wanted in project["dependencies"]]
    assert [name for name in names if f"| {name}" not in table] == []


def test_every_topic_has_a_line_and_a_text() -> None:
    assert all(line.endswith(".") and len(text.splitlines()) > 3 for line, text in TOPICS.values())


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial/first-task.md", "docs/explanation/dependencies.md"])
def test_links_of_the_first_pages_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    missing = [link for link in links if not ((ROOT / page).parent / link).exists()]
    assert missing == []
