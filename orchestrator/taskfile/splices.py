"""Replacements in a text, collected and then carried out at once."""


class Splices:
    """Stretches of one text and what to put in their place. Stretches do not overlap."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._stretches: list[tuple[int, int, str]] = []

    def put(self, start: int, end: int, replacement: str) -> None:
        """Put the replacement in place of text[start:end]. At one place, what was put first stands first."""
        self._stretches.append((start, end, replacement))

    def text(self) -> str:
        """The text with every replacement made."""
        parts: list[str] = []
        at = 0
        for start, end, replacement in sorted(self._stretches, key=lambda stretch: stretch[:2]):
            parts += (self._text[at:start], replacement)
            at = max(at, end)
        return "".join([*parts, self._text[at:]])
