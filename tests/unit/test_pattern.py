"""Patterns that are compiled late are sound, and answer as patterns do."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import orchestrator
from orchestrator.core.pattern import late


def late_ones(values: object) -> Iterator[object]:
    if isinstance(values, tuple | list):
        for value in values:
            yield from late_ones(value)
    elif type(values).__module__ == late.__module__:
        yield values


def test_every_pattern_that_is_compiled_late_is_sound() -> None:
    found = 0
    for module in pkgutil.walk_packages(orchestrator.__path__, "orchestrator."):
        spec = module.module_finder.find_spec(module.name, None)  # type: ignore[call-arg]  # of FileFinder
        source = spec.loader.get_source(module.name) if spec and spec.loader else ""  # type: ignore[attr-defined]
        if " late(" not in (source or ""):
            continue
        for values in vars(importlib.import_module(module.name)).values():
            for pattern in late_ones(values):
                assert isinstance(pattern.pattern, str | bytes)  # type: ignore[attr-defined]  # asking compiles it
                found += 1
    assert found > 30


def test_a_late_pattern_answers_as_a_compiled_one() -> None:
    pattern = late(r"(a)(b)?", re.IGNORECASE)
    assert [found.groups() for found in pattern.finditer("A ab")] == [("A", None), ("a", "b")]
    assert pattern.sub("x", "cAb") == "cx"
    assert pattern.fullmatch("abc") is None
    assert late(rb"\d").findall(b"1a2") == [b"1", b"2"]
