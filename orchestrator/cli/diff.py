"""How a change of a file is shown: as a unified diff, coloured where the stream takes colour."""

from collections.abc import Iterator

from orchestrator.cli.screen import Paint, Screen, plain_lines


def show_diff(screen: Screen, file: str, before: str, after: str) -> None:
    """The lines that change, with three around them."""
    for line in diff_lines(file, before, after):
        text = "".join(plain_lines(line))
        screen.line(screen.paint(text, _paint(line)))


def diff_lines(file: str, before: str, after: str) -> Iterator[str]:
    """The diff line by line, without line ends. A line end that changes or lacks is said in words, as diff does."""
    from difflib import unified_diff

    old, new = (text.splitlines(keepends=True) for text in (before, after))
    names = (file, file) if file.startswith("/") else (f"a/{file}", f"b/{file}")
    for line in unified_diff(old, new, *names):
        body = line.rstrip("\r\n")
        yield body
        if body == line and line[:1] in "+- " and not line.startswith(("+++", "---")):
            yield "\\ No newline at end of file"


def _paint(line: str) -> Paint | None:
    if line.startswith(("+++", "---")):
        return Paint.STRONG
    return {"+": Paint.GOOD, "-": Paint.BAD, "@": Paint.BUSY}.get(line[:1])
