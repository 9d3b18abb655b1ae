"""`config show`: the configuration in force, key by key, with the layer that each value came from. Never a secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.adapters.place import Place
from orchestrator.config.fields import nearest
from orchestrator.config.origins import Layer, Setting, settings_in
from orchestrator.config.places import NoPlaceError, dotted, parts_of
from orchestrator.config.refused import ConfigRefused
from orchestrator.config.wording import Step
from orchestrator.errors import NotFoundError, UsageError
from orchestrator.strictyaml.emit import block, flow

if TYPE_CHECKING:
    from orchestrator.core.redaction import Redactor


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One key in force, as it is told."""

    key: str
    value: object
    written: str  # the value on one line, as YAML
    origin: str
    layer: str

    def plain(self) -> dict[str, object]:
        """For JSON."""
        return {"key": self.key, "value": self.value, "origin": self.origin, "layer": self.layer}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is in force below a key, or of all."""

    value: object  # a mapping of keys, or the one value
    lines: tuple[Line, ...]

    @property
    def yaml(self) -> tuple[str, ...]:
        """It in lines of YAML."""
        found = block(self.value, indent=0)
        return (flow(self.value),) if found is None else tuple(line for line in (found[0], *found[1]) if line)


def show(place: Place, key: str = "") -> Shown:
    """What is in force. Raises NotFoundError for a key that there is not, ConfigRefused for a bad configuration."""
    from orchestrator.core.redaction import Redactor
    from orchestrator.wiring.configuring import examined

    read = examined(place)
    if read.problems:
        raise ConfigRefused(read.problems)
    sheets = {sheet.path.rpartition("/")[2]: sheet for sheet in read.book.sheets}
    redactor = Redactor()
    every = [_veiled(one, redactor) for one in settings_in(sheets)]
    if not key:
        return _shown([one for one in every if one.value is not None], ())
    at, inside = _place(every, key)
    below = [one for one in every if one.at[: len(at)] == at]
    if inside:
        (one,) = below
        part = Setting(at=(*one.at, *inside), value=_inside(one.value, inside, key), origin=one.origin)
        return _shown([part], part.at)
    told = [one for one in below if one.value is not None]
    return _shown(told or below, at)


def _shown(settings: Sequence[Setting], at: tuple[Step, ...]) -> Shown:
    lines = tuple(
        Line(
            key=_dotted(one.at),
            value=one.value,
            written=flow(one.value),
            origin=one.origin.told,
            layer=one.origin.layer.value,
        )
        for one in settings
    )
    if len(settings) == 1 and settings[0].at == at:
        return Shown(value=settings[0].value, lines=lines)
    tree: dict[Step, object] = {}
    for one in settings:
        holder = tree
        for step in one.at[len(at) : -1]:
            below = holder.setdefault(step, {})
            assert isinstance(below, dict)  # a key holds either a value or further keys
            holder = below
        holder[one.at[-1]] = one.value
    return Shown(value=_with_lists(tree), lines=lines)


def _with_lists(value: object) -> object:
    """The tree, where numbers lead on a list."""
    if not isinstance(value, dict):
        return value
    children = {step: _with_lists(child) for step, child in value.items()}
    return list(children.values()) if any(isinstance(step, int) for step in children) else children


def _dotted(at: tuple[Step, ...]) -> str:
    """As `--set` and `config set` read it: a name with dots in it stands in quotes."""
    return dotted(tuple(f'"{step}"' if isinstance(step, str) and "." in step else step for step in at))


def _veiled(one: Setting, redactor: "Redactor") -> Setting:
    """Without secrets: `${VAR}` names one, and is none; whatever a variable or a flag gives a tool is taken for one."""
    if one.at[0] == "tools" and "env" in one.at[2:3] and one.origin.layer in {Layer.VARIABLE, Layer.FLAG}:
        return Setting(at=one.at, value=f"[redacted:{one.origin.layer}]", origin=one.origin)
    cleaned = redactor.data({str(one.at[-1]): one.value})
    assert isinstance(cleaned, dict)
    return Setting(at=one.at, value=next(iter(cleaned.values())), origin=one.origin)


def _place(every: Sequence[Setting], key: str) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """The key, and what it names inside the list that stands there. Raises NotFoundError, UsageError."""
    try:
        left = list(parts_of(key))
    except NoPlaceError:
        raise UsageError(f'{key}: this is no key; write e.g. policies.default.limits or models."gpt-6.1"') from None
    at: tuple[Step, ...] = ()
    while left:
        names = list(dict.fromkeys(one.at[len(at)] for one in every if one.at[: len(at)] == at != one.at))
        if not names:
            return at, tuple(step for step, _ in left)
        if left[0][0] in names:
            count, step = 1, left[0][0]
        else:
            joined = ((n, ".".join(str(step) for step, _ in left[:n])) for n in range(len(left), 1, -1))
            count, step = next(((n, name) for n, name in joined if name in names), (0, ""))
        if not count:
            raise _unknown(at, str(left[0][0]), list(map(str, names)))
        at = (*at, step)
        left = left[count:]
    return at, ()


def _unknown(at: tuple[Step, ...], name: str, names: Sequence[str]) -> NotFoundError:
    near = nearest(name, tuple(names))
    hint = f"did you mean {_dotted((*at, near))}?" if near else f"there are {', '.join(names)}"
    return NotFoundError(f"{_dotted(at) or 'the configuration'} has no {name!r}; {hint}")


def _inside(value: object, steps: tuple[Step, ...], key: str) -> object:
    for step in steps:
        match value:
            case list() if isinstance(step, int) and step < len(value):
                value = value[step]
            case dict() if step in value:
                value = value[step]
            case _:
                raise NotFoundError(f"{key}: nothing is there; see the value that holds it")
    return value
