"""Whatever stands in a configuration or task file: it is read, or refused with what is wrong and where."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from fuzz_texts import CASES, Judged
from hypothesis import HealthCheck, given, settings


def judged() -> Callable[[str, bytes], list[str]]:
    with TemporaryDirectory() as scratch:
        return Judged(Path(scratch)).faults


@settings(max_examples=2_000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CASES)
def test_no_text_brings_anything_but_a_good_reading_or_a_refusal_with_its_place(case: tuple[str, bytes]) -> None:
    assert FAULTS(*case) == []


FAULTS = judged()
