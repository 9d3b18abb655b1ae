"""Templates -> texts. Templates belong to whoever runs the program; what they are filled with may come from a stranger.

The environment is sandboxed and immutable all the same: a value is data, and is never compiled.
"""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import NotFoundError, OrchestratorError

if TYPE_CHECKING:
    from jinja2 import Template
    from jinja2.sandbox import ImmutableSandboxedEnvironment

_FIX = "mend the template, or delete it to get the shipped one back"


class TemplateRefused(OrchestratorError):  # noqa: N818  # a refusal is an expected answer, and is named as one
    """A template that cannot be read or filled: where, and what is wrong with it."""


class Templates:
    """The templates of one or more folders; a template in an earlier folder stands for its namesakes in later ones.

    Each is read and compiled once: make a new instance to see changes. Rendering is safe from several threads.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders
        self._compiled: dict[str, Template] = {}
        self._made: ImmutableSandboxedEnvironment | None = None  # when it is needed: it takes 15 ms to load

    def render(self, name: str, /, **values: object) -> str:
        """The text of a template such as `logs/work-log.md.j2`.

        Raises NotFoundError where there is no such template, TemplateRefused where it cannot be read or filled.
        """
        from jinja2 import TemplateError

        template = self._compiled.get(name) or self._compile(name)
        try:
            return template.render(values)
        except TemplateError as error:
            raise TemplateRefused(f"{template.filename or name}: {error.message or error}; {_FIX}") from error

    def get_ready(self, name: str) -> None:
        """Loads and reads it now, so that it is quickly rendered later; what is wrong with it is said then."""
        import jinja2.sandbox  # noqa: F401 - loaded for `render`

        with suppress(NotFoundError, TemplateRefused):
            self._compiled[name] = self._compile(name)

    def _compile(self, name: str) -> "Template":
        from jinja2 import TemplateNotFound, TemplateSyntaxError

        try:
            template = self._environment().get_template(name)
        except TemplateSyntaxError as error:
            place = f"{error.filename or name}:{error.lineno}"
            raise TemplateRefused(f"{place}: {error.message}; {_FIX}") from error
        except TemplateNotFound as error:
            places = " or ".join(str(folder) for folder in self._folders)
            raise NotFoundError(f"there is no template {name} in {places}; run: orchestrator init") from error
        self._compiled[name] = template
        return template

    def _environment(self) -> "ImmutableSandboxedEnvironment":
        if self._made is None:
            from jinja2 import FileSystemLoader, StrictUndefined
            from jinja2.sandbox import ImmutableSandboxedEnvironment

            from orchestrator.adapters.template_filters import FILTERS

            made = ImmutableSandboxedEnvironment(
                loader=FileSystemLoader([str(folder) for folder in self._folders]),
                autoescape=False,  # these are Markdown and prompts, not HTML; filters keep values in their place
                undefined=StrictUndefined,
                trim_blocks=True,
                lstrip_blocks=True,
                keep_trailing_newline=True,
                auto_reload=False,
            )
            made.filters.update(FILTERS)
            self._made = made
        return self._made
