"""Ordinary text, as tools and people really wrote it, keeps every character."""

from pathlib import Path

import pytest

from orchestrator.core.redaction import Redactor

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"


def _texts(folder: Path) -> list[tuple[Path, str]]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    read = [(path, path.read_bytes()) for path in files]
    return [(path, raw.decode("utf-8", "replace")) for path, raw in read if b"\0" not in raw]


@pytest.mark.parametrize("name", ["recordings", "corpus"])
def test_what_real_tools_printed_and_real_tasks_say_is_left_as_it_is(name: str) -> None:
    if not (SHARED / name).is_dir():
        pytest.skip(f"there is no {name} beside the repository")
    texts = _texts(SHARED / name)
    assert len(texts) > 50
    damaged = [str(path) for path, text in texts if Redactor().text(text) is not text]
    assert damaged == []


@pytest.mark.parametrize("name", ["docs", "templates", "config"])
def test_our_own_pages_are_left_as_they_are(name: str) -> None:
    damaged = [str(path) for path, text in _texts(ROOT / name) if Redactor().text(text) is not text]
    assert damaged == []


def test_the_tests_of_this_hold_no_secret_that_a_scanner_would_find() -> None:
    here = Path(__file__).parent
    files = [*here.glob("test_redaction*.py"), here / "test_privacy.py", here / "fake_secrets.py"]
    files.append(here.parent / "benchmarks" / "redaction.py")
    texts = {path.name: path.read_text(encoding="utf-8") for path in files}
    assert {name: Redactor().found(text) for name, text in texts.items() if Redactor().found(text)} == {}
