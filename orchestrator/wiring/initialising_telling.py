"""`init` as the command line asks for it: what is here, what it will be used for, and then the deed."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path

from orchestrator.adapters.place import Place
from orchestrator.config import sets
from orchestrator.config.machine import EMBEDDED, FoundTool, Scan
from orchestrator.core.layout import CONFIG_FILES
from orchestrator.wiring.initialising import Made, Wish, embedded_alone, files_there, preview, set_up
from orchestrator.wiring.initialising_scan import look_around


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A tool that is here."""

    name: str
    path: str
    version: str
    key: str  # what speaks for a log-in: names, never values
    use: str
    is_used: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a person is told before anything is written."""

    wish: Wish
    scan: Scan
    configures: bool  # files of configuration are to be written
    writes: bool  # or anything else
    asked_for: str = ""  # the set that was named

    @property
    def _plan(self) -> sets.Plan:
        return sets.planned(self.wish.chosen, self.scan)

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """The sets, each with what it is."""
        return tuple((name.value, about) for name, about in sets.ABOUT.items())

    @property
    def machine(self) -> str:
        """It in a line."""
        scan = self.scan
        system = f"{scan.system} (WSL)" if scan.is_wsl else scan.system
        return ", ".join(filter(None, (system, f"Python {scan.python}", f"git {scan.git}" if scan.git else "no git")))

    @property
    def rows(self) -> tuple[Row, ...]:
        """The tools that are here, the embedded one first."""
        plan = self._plan
        here = (self.scan.tool(EMBEDDED), *(tool for tool in plan.lacking if not tool.path), *self.scan.found)
        return tuple(_row(tool, plan) for tool in here)

    @property
    def absent(self) -> tuple[str, ...]:
        """Those of the catalogue that are not."""
        told = {EMBEDDED, *(tool.name for tool in self._plan.lacking)}
        return tuple(tool.name for tool in self.scan.tools if not tool.path and tool.name not in told)

    @property
    def shortfalls(self) -> tuple[str, ...]:
        """What they should know before they rely on it."""
        return sets.shortfalls(self._plan, self.scan) if self.configures else ()

    def with_set(self, name: str) -> "Told":
        """The same with another set."""
        return replace(self, wish=replace(self.wish, chosen=sets.ConfigSet(name)), asked_for=name)

    def plain(self) -> dict[str, object]:
        """For `--json`; empty where nothing was looked for."""
        if not self.configures:
            return {}
        scan, plan = self.scan, self._plan
        return {
            "system": scan.system,
            "wsl": scan.is_wsl,
            "python": scan.python,
            "git": scan.git,
            "repository": asdict(scan.repository),
            "tools": [
                {
                    "name": tool.name,
                    "path": tool.path,
                    "version": tool.version,
                    "trouble": tool.trouble,
                    "keys": list(tool.keys),
                    "readiness": tool.readiness.value,
                    "use": sets.use_of(tool.name, plan) if tool.path or tool.name in plan.declared else "not found",
                }
                for tool in scan.tools
            ],
            "checks": [{"name": check.name, "command": list(check.command)} for check in scan.checks],
            "shortfalls": list(self.shortfalls),
        }


def begin(place: Place, *, template: str | None, trail: str | None, force: bool) -> Told:
    """Looks around, where there is something to be written."""
    wish = Wish(
        chosen=sets.ConfigSet(template) if template else sets.ConfigSet.QUICK_START, trail=trail or "", force=force
    )
    configures = force or len(files_there(place)) < len(CONFIG_FILES)
    return Told(
        wish=wish,
        scan=look_around(place) if configures else embedded_alone(place),
        configures=configures,
        writes=configures or not (place.work / "collaboration").is_dir(),
        asked_for=template or "",
    )


def carry_out(place: Place, told: Told, *, hooks: bool, dry_run: bool) -> Made:
    """Makes the workspace, or tells what would be made."""
    wish = replace(told.wish, hooks=hooks)
    return preview(place, wish, told.scan) if dry_run else set_up(place, wish, told.scan)


def lacks_hooks(place: Place) -> bool:
    """Whether there are hooks to be installed: git has none of ours there."""
    if place.git_dir is None:
        return False
    from orchestrator.wiring.hooks_standing import status

    return not status(place).is_complete


def _row(tool: FoundTool, plan: sets.Plan) -> Row:
    embedded = tool.name == EMBEDDED
    version = "built in" if embedded else tool.version or tool.trouble or ("not asked" if tool.path else "not found")
    return Row(
        name=tool.name,
        path="" if embedded else tool.path,
        version=version,
        key=_key(tool),
        use=sets.use_of(tool.name, plan),
        is_used=tool.name in {EMBEDDED, *plan.workers} and tool not in plan.lacking,
    )


def _key(tool: FoundTool) -> str:
    if not tool.wants_key:
        return "needs none"
    if tool.keys:
        return ", ".join(dict.fromkeys("log-in" if Path(key).is_absolute() else key for key in tool.keys))
    return f"perhaps in {tool.may_be_elsewhere}" if tool.may_be_elsewhere else "none found"
