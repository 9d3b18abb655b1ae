"""The price table in force: the package genai-prices where it is installed (extra `prices`), else the shipped one."""

import json
import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import orchestrator
from orchestrator.adapters import genai_prices
from orchestrator.core.price_table import MAKERS, PriceTable
from orchestrator.prices import snapshot

_PREFIX = "genai_prices-"


def price_table(cache: Path | None = None, *, packages: Path | None = None) -> PriceTable:
    """The table. What an installed package says is kept in the folder `cache`, as to import it takes 0.1 s.

    Args:
        cache: a folder of this machine; None: nothing is kept.
        packages: the folder in which the package would be; None: where Python finds it.
    """
    version = _installed_version(packages)
    if not version:
        return snapshot.shipped()
    kept = cache / f"prices-{version}-{orchestrator.__version__}.json" if cache else None
    if kept is not None and (table := _read(kept)) is not None:
        return table
    try:
        known = genai_prices.providers()
    except ImportError:  # its folder is there, and something that it needs is not
        return snapshot.shipped()
    text = snapshot.written(genai_prices.NAME, version, "made from the installed package", genai_prices.models(known))
    if kept is not None:
        _keep(kept, text)
    return snapshot.parse(text.encode())


def _installed_version(packages: Path | None) -> str:
    """The version beside the package, without importing anything of it; empty where it is not installed."""
    if packages is None:
        spec = find_spec("genai_prices")
        if spec is None or spec.origin is None:
            return ""
        packages = Path(spec.origin).parent.parent
    try:
        names = os.listdir(packages)
    except OSError:
        return ""
    found = sorted(name for name in names if name.startswith(_PREFIX) and name.endswith(".dist-info"))
    return found[-1].removeprefix(_PREFIX).removesuffix(".dist-info") if found else ""


def _read(kept: Path) -> PriceTable | None:
    """None: it is made again."""
    try:
        table = snapshot.parse(kept.read_bytes())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, json.JSONDecodeError):
        return None
    return table if all(maker in table.models for maker in MAKERS) else None


def _keep(kept: Path, text: str) -> None:
    """Whole or not at all; where it cannot be kept it is made again the next time."""
    beside = kept.with_name(f".{kept.name}.{os.getpid()}.tmp")
    with suppress(OSError):
        beside.write_text(text, encoding="utf-8")
        beside.replace(kept)
        for older in kept.parent.glob("prices-*.json"):
            if older != kept:
                older.unlink(missing_ok=True)
