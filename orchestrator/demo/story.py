"""What the demo shows: the commits of its project, and what is to come of each task. Values only."""

from dataclasses import dataclass

AUTHORS = {"ada": ("Ada Ferrier", "ada@lantern.example"), "jon": ("Jon Holm", "jon@lantern.example")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit of the project: who, when, why, and the files that it adds."""

    who: str
    at: str
    message: str
    paths: tuple[str, ...]


COMMITS = (
    Commit(
        who="ada",
        at="2026-01-12T09:14:00+01:00",
        message="Begin with the timetable as a text file",
        paths=("README.md", "data/timetable.csv", "docs/timetable.md", "docs/decisions/0001-plain-text-timetable.md"),
    ),
    Commit(
        who="ada",
        at="2026-01-12T11:40:00+01:00",
        message="Read the timetable and say when the next boat goes",
        paths=("pyproject.toml", "ferry/__init__.py", "ferry/timetable.py", "tests/test_timetable.py"),
    ),
    Commit(
        who="jon",
        at="2026-01-20T16:05:00+01:00",
        message="Work out fares, and the book of ten",
        paths=("ferry/fares.py", "tests/test_fares.py", "docs/fares.md"),
    ),
    Commit(
        who="jon",
        at="2026-02-03T10:30:00+01:00",
        message="Notices, a command line, and the page for the quays",
        paths=("ferry/notices.py", "ferry/cli.py", "scripts/publish.sh"),
    ),
    Commit(
        who="ada",
        at="2026-02-11T08:55:00+01:00",
        message="Write down what to do when a crossing is cancelled",
        paths=("docs/runbook.md",),
    ),
)

EXPECTED = {
    "2026-03-02T0900-backend-dev-fare-rounding": "done",
    "2026-03-02T0905-backend-dev-winter-timetable": "done",
    "2026-03-02T0910-backend-dev-next-json": "done",  # after the one above, urgent as it is
    "2026-03-02T0915-backend-dev-escape-notices": "done",  # its agent is named by an alias
    "2026-03-02T0920-backend-dev-sunday-tests": "done",
    "2026-03-02T0925-writer-fares-page": "done",
    "2026-03-02T0930-writer-runbook-fog": "done",  # front matter and a Markdown body
    "2026-03-02T0935-writer-decision-winter-file": "done",
    "2026-03-02T0940-writer-price-list": "done",  # names files that do not exist: its brief says so
    "2026-03-02T0945-person-captain-signs": "assigned",  # a person's: it waits for `start`
    "2026-03-02T0950-writer-notice-board": "rejected",  # broken YAML
    "2026-03-02T0955-backend-dve-publish-hourly": "rejected",  # no such agent, but one of nearly that name
}
FIRST, THEN = "2026-03-02T0905-backend-dev-winter-timetable", "2026-03-02T0910-backend-dev-next-json"
"""The dependency that the demo checks: the second may only start when the first has ended."""
