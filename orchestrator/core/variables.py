"""Which variables of the environment are a layer of the configuration: ORCHESTRATOR_<SECTION>__<KEY>=VALUE."""

from collections.abc import Mapping

PREFIX = "ORCHESTRATOR_"
_OTHERS = frozenset(f"{PREFIX}{name}" for name in ("ROOT", "HOST", "INVOCATION", "WORKSPACE", "TEST_DIE_AT"))
# How the sections begin. A name without `__` that begins like none of them is somebody else's, and costs nothing.
_HEADS = ("AGE", "TOO", "MOD", "POL", "CHE", "PRO", "RET", "TRA", "INT", "WOR", "ORP")


def configuring(environ: Mapping[str, str]) -> dict[str, str]:
    """Those that may be, in order of their names. An empty one is as none; others of ours are no configuration."""
    return {name: environ[name] for name in sorted(filter(_may_be, environ)) if environ[name]}


def _may_be(name: str) -> bool:
    if not name.startswith(PREFIX) or name in _OTHERS:
        return False
    rest = name.removeprefix(PREFIX).upper()
    return "__" in rest or rest.startswith(_HEADS)
