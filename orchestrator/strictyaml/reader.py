"""Text to Document. PyYAML is imported on the first read: a command that reads no YAML does not pay for it."""

from orchestrator.strictyaml.document import Document
from orchestrator.strictyaml.encoding import check_characters

MAX_DEPTH = 100


def read(text: str, *, path: str, max_depth: int = MAX_DEPTH) -> Document:
    """The one document of a text, with the place of every value. Raises YamlRefused with all that could be found."""
    from orchestrator.strictyaml.compose import compose

    check_characters(text, path=path)
    return compose(text, path=path, max_depth=max_depth)
