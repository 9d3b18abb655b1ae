"""Which branch names and repository paths are safe to hand to git: pure rules, with the reason for each no."""

import re

# git check-ref-format(1), and no leading dash: a ref must never read as an option.
REF_RULES: tuple[tuple[str, str], ...] = (
    (r"\A\Z", "it is empty"),
    (r"\A-", "it starts with a dash"),
    (r"\A/|/\Z|//", "it has an empty part between slashes"),
    (r"(?:\A|/)\.", "a part starts with a dot"),
    (r"\.\.", "it holds two dots in a row"),
    (r"\.lock(?:/|\Z)", "a part ends in .lock"),
    (r"\.\Z", "it ends in a dot"),
    (r"@\{", "it holds @{"),
    (r"\A@\Z", "a lone @ is git's word for HEAD"),
    (r"\A(?:HEAD|FETCH_HEAD|ORIG_HEAD|MERGE_HEAD)\Z", "git uses that name itself"),
    (r"\Arefs/", "give the short name, without refs/heads/"),
    (r"[\x00-\x20\x7f~^:?*\[\\]", "it holds a space, a control character or one of ~ ^ : ? * [ \\"),
)
PATH_RULES: tuple[tuple[str, str], ...] = (
    (r"\A\s*\Z", "it is empty"),
    (r"\A[/~]|\A[A-Za-z]:", "it is not relative to the repository"),
    (r"\A[-:]", "it starts with a dash or a colon"),
    (r"(?:\A|/)\.\.(?:/|\Z)", "it leaves the repository"),
    (r"(?:\A|/)\.(?:/|\Z)", "it has a part that is a lone dot"),
    (r"//", "it has an empty part between slashes"),
    (r"(?i:(?:\A|/)\.git(?:/|\Z))", "it is inside git's own folder"),
    (r"[\\*?\[\x00-\x1f\x7f]", "it holds a backslash, a wildcard or a control character"),
)


def branch_fault(name: str) -> str:
    """Why `name` is no branch name, or an empty text where it is one."""
    return _first(REF_RULES, name) or ("it is longer than 200 characters" if len(name) > 200 else "")


def folder_fault(path: str) -> str:
    """Why `path` is no plain path inside the repository, or an empty text where it is one."""
    return _first(PATH_RULES, path) or ("it is longer than 1,000 characters" if len(path) > 1000 else "")


def _first(rules: tuple[tuple[str, str], ...], text: str) -> str:
    return next((why for pattern, why in rules if re.search(pattern, text)), "")
