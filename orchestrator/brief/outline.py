"""The shape of a file in a few lines: headings, definitions or keys, each with its line number."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

_LONGEST_LINE = 300  # characters of a line that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One heading, definition or key."""

    line: int  # 1-based; 0: of the file as a whole
    words: str
    depth: int = 0


def outline(path: str, text: str) -> tuple[str, tuple[Item, ...]]:
    """What the items are ("headings", "definitions", "keys"; empty: not known for such a file), and the items."""
    name = PurePosixPath(path)
    kind, read = _READERS.get(name.suffix.lower()) or ("", _nothing)
    if not kind and text.startswith("#!"):
        kind, read = _by_interpreter(text.partition("\n")[0])
    return kind, tuple(read(text))


def _by_interpreter(line: str) -> tuple[str, Callable[[str], Iterable[Item]]]:
    if "python" in line:
        return "definitions", _python
    return ("definitions", _shell) if re.search(r"\b(?:ba|da|z|k)?sh\b", line) else ("", _nothing)


def _nothing(_text: str) -> Iterable[Item]:
    return ()


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        yield number, line[:_LONGEST_LINE].rstrip()


def _markdown(text: str) -> Iterator[Item]:
    fence = ""
    for number, line in _lines(text):
        mark = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if fence:
            if mark and mark[1].startswith(fence):
                fence = ""
        elif mark:
            fence = mark[1]
        elif heading := re.match(r"(#{1,6})\s+(.*?)\s*#*$", line):
            yield Item(line=number, words=heading[2], depth=len(heading[1]) - 1)


def _python(text: str) -> Iterable[Item]:
    import ast
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in somebody's file is not ours to report
            tree = ast.parse(text)
    except SyntaxError as error:
        return [Item(line=error.lineno or 0, words=f"does not parse: {error.msg}")]
    except (ValueError, RecursionError, MemoryError):
        return [Item(line=0, words="does not parse")]
    found = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            kind = "class" if isinstance(node, ast.ClassDef) else "def"
            said = (ast.get_docstring(node) or "").strip().split("\n")[0][:120]
            found.append(Item(line=node.lineno, words=f"{kind} {node.name}" + (f": {said}" if said else "")))
    return found


def _json(text: str) -> Iterable[Item]:
    import json

    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        return [Item(line=getattr(error, "lineno", 0), words="does not parse")]
    if isinstance(found, dict):
        return [Item(line=0, words=str(key)[:_LONGEST_LINE]) for key in found]
    return [Item(line=0, words=f"a list of {len(found)}")] if isinstance(found, list) else ()


def _toml(text: str) -> Iterator[Item]:
    in_table = False
    for number, line in _lines(text):
        if table := re.match(r"\[{1,2}([^\[\]]+)\]{1,2}", line):
            in_table = True
            yield Item(line=number, words=f"[{table[1].strip()}]")
        elif not in_table and (key := re.match(r"([\w.\"'-]+)\s*=", line)):
            yield Item(line=number, words=key[1])


def _matching(*patterns: str) -> Callable[[str], Iterator[Item]]:
    """Reads lines by regular expressions whose groups, joined, are the words."""
    whole = [re.compile(pattern) for pattern in patterns]

    def read(text: str) -> Iterator[Item]:
        for number, line in _lines(text):
            for pattern in whole:
                if found := pattern.match(line):
                    yield Item(line=number, words=" ".join(group for group in found.groups() if group))
                    break

    return read


_NAME = r"([A-Za-z_$][\w$]*)"
_yaml = _matching(r"([\w\"'][^:#]*?):(?:\s|$)")
_shell = _matching(r"([\w:.-]+)\s*\(\)", r"(function)\s+([\w:.-]+)")
_script = _matching(
    rf"(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(class|function|interface|type|enum|namespace)\*?\s+{_NAME}",
    rf"export\s+(const|let|var)\s+{_NAME}",
    rf"(const)\s+{_NAME}\s*(?::[^=]+)?=\s*(?:async\s*)?(?:function\b|\(|\w+\s*=>)",
)
_go = _matching(r"(func)\s+(\([^)]*\))?\s*(\w+)", r"(type)\s+(\w+)\s+(struct|interface)?")
_rust = _matching(
    r"(?:pub(?:\([^)]*\))?\s+)?(?:async\s+)?(?:unsafe\s+)?(fn|struct|enum|trait|mod|type|union)\s+(\w+)",
    r"(impl)(?:<[^>]*>)?\s+([^{]+?)\s*\{?$",
    r"(macro_rules!)\s+(\w+)",
)
_java = _matching(
    r"(?:(?:public|protected|private|abstract|final|static|sealed|non-sealed)\s+)*(class|interface|enum|record|@interface)\s+(\w+)"
)

_READERS: dict[str, tuple[str, Callable[[str], Iterable[Item]]]] = {
    **dict.fromkeys((".md", ".markdown"), ("headings", _markdown)),
    **dict.fromkeys((".py", ".pyi"), ("definitions", _python)),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"), ("definitions", _script)),
    ".go": ("definitions", _go),
    ".rs": ("definitions", _rust),
    ".java": ("definitions", _java),
    **dict.fromkeys((".sh", ".bash", ".zsh"), ("definitions", _shell)),
    **dict.fromkeys((".yaml", ".yml"), ("keys", _yaml)),
    ".json": ("keys", _json),
    ".toml": ("keys", _toml),
}
