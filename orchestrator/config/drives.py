"""The machine that a configuration is read on, and the paths of Windows under WSL, where its programs can be started.

Pure: whoever calls reads /proc/version, /etc/wsl.conf and the environment (wiring.configuring).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_SYSTEMS = {"darwin": "macos", "win32": "windows", "cygwin": "windows"}
_DRIVE = re.compile(r"([A-Za-z]):[\\/](.*)", re.DOTALL)
_MARKS = ("WSL_INTEROP", "WSL_DISTRO_NAME")
_SECTION = re.compile(r"\s*\[([^\]]*)\]")
_ROOT = re.compile(r"\s*root\s*=\s*\"?([^\"#\n]*?)\"?\s*(?:#.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a tool's stanza depends on beside itself."""

    environ: Mapping[str, str]
    platform: str  # a sys.platform
    drives: str = ""  # where WSL mounts the drives of Windows, e.g. /mnt; empty: this is no WSL

    @property
    def system(self) -> str:
        """Its name under `platforms:`."""
        return _SYSTEMS.get(self.platform, "linux" if self.platform.startswith("linux") else self.platform)

    def path_here(self, path: str) -> str:
        """The path as this machine names it: C:\\Tools\\x.exe is /mnt/c/Tools/x.exe under WSL."""
        found = _DRIVE.fullmatch(path) if self.drives else None
        if not found:
            return path
        rest = "/".join(part for part in re.split(r"[\\/]+", found[2]) if part)
        return f"{self.drives.rstrip('/')}/{found[1].lower()}/{rest}"


def drives_of(*, environ: Mapping[str, str], proc_version: str, wsl_conf: str) -> str:
    """Where WSL mounts the drives of Windows; empty where this is no WSL.

    `root` under [automount] of /etc/wsl.conf, /mnt where it says none:
    https://learn.microsoft.com/windows/wsl/wsl-config
    """
    is_wsl = "microsoft" in proc_version.casefold() or any(environ.get(mark) for mark in _MARKS)
    if not is_wsl:
        return ""
    section = ""
    for line in wsl_conf.splitlines():
        if opened := _SECTION.match(line):
            section = opened[1].strip().casefold()
        elif section == "automount" and (found := _ROOT.fullmatch(line)) and found[1].startswith("/"):
            return found[1].rstrip("/") or "/"
    return "/mnt"
