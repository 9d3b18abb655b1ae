"""What an id, a path and an amount may look like in a file that may come from a stranger."""

import re
from decimal import Decimal

from orchestrator.core.pattern import late

_ID = late(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
_LONGEST_ID = 200
_REMARK = late(r"(?P<path>\S+)\s+\([^()]*\)")
_DRIVE = late(r"[A-Za-z]:")
_AMOUNT = late(r"(?P<sign>-?)[0-9]{1,12}(?:\.[0-9]{1,12})?(?:[eE][+-]?[0-9])?", re.ASCII)
_LARGEST_USD = 1_000_000


def id_fault(text: str) -> str:
    """Why the text cannot be a task's id; empty where it can. Ids become names of files and branches."""
    if not text:
        return "it is empty"
    if len(text) > _LONGEST_ID:
        return f"it has {len(text)} characters, at most {_LONGEST_ID} are allowed"
    if not _ID.fullmatch(text):
        return "it may hold letters, digits, `.`, `_` and `-`, and starts with a letter or digit"
    return "it may not hold `..`" if ".." in text else ""


def path_fault(path: str) -> str:
    """Why the text cannot be a path within the repository; empty where it can."""
    segments = path.split("/")
    if path.startswith(("/", "~")) or _DRIVE.match(path):
        return "is not relative to the repository"
    if ".." in segments:
        return "leads out of its folder with `..`"
    if "\\" in path:
        return "holds a backslash; folders are separated by `/`"
    if any(segment.lower() == ".git" for segment in segments):
        return "leads into git's own folder"
    if path.startswith(":") or "\n" in path or "\x00" in path:
        return "is not a path"
    return ""


def without_remark(text: str) -> str:
    """The path of an entry such as `docs/a.md (new)`."""
    found = _REMARK.fullmatch(text)
    return (found["path"] if found else text).removeprefix("./")


def without_suffix(text: str) -> str:
    """The id of an entry that is written as a file's name."""
    return text[:-5] if text.lower().endswith(".yaml") else text[:-4] if text.lower().endswith(".yml") else text


def parse_usd(text: str) -> int:
    """Micro-dollars, exact. Raises ValueError with what is wrong."""
    found = _AMOUNT.fullmatch(text)
    if not found:
        raise ValueError(f'"{text}" is not an amount of money')
    if found["sign"]:
        raise ValueError("an amount of money cannot be negative")
    amount = Decimal(text)
    if amount > _LARGEST_USD:
        raise ValueError(f"is more than {_LARGEST_USD:,} USD")
    micro = amount * 1_000_000
    if micro != micro.to_integral_value():
        raise ValueError("is finer than a millionth of a dollar")
    return int(micro)
