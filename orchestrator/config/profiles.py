"""The profiles that agents name (taskfile.profile reads them): one that is missing or unreadable is refused."""

from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.config.fields import shown
from orchestrator.config.sheet import Sheet
from orchestrator.config.wording import Finding

if TYPE_CHECKING:
    from orchestrator.taskfile.profile import Profile


def parse(raw: bytes, *, path: str) -> "Profile":
    """The profile that a file holds (taskfile.profile)."""
    from orchestrator.taskfile import profile

    return profile.parse(raw, path=path)


def read_profile(sheet: Sheet, agent: str, profile: str, repository: Path) -> "Profile":
    """The profile that an agent names. One that is missing or unreadable is a problem of `sheet`."""
    from orchestrator.taskfile.profile import Profile, parse  # for those configurations that name one

    at = ("agents", agent, "profile")
    try:
        raw = (repository / profile).read_bytes()
    except FileNotFoundError:
        hint = "paths are relative to the repository; write the profile, or remove the key"
        sheet.refuse(Finding(at=at, message=f"there is no file {shown(profile)}", hint=hint))
        return Profile(path=profile)
    except OSError as error:
        sheet.refuse(Finding(at=at, message=f"{profile} cannot be read: {error.strerror or error}"))
        return Profile(path=profile)
    found = parse(raw, path=profile)
    sheet.problems.extend(one for one in found.problems if one not in sheet.problems)  # two agents may name one file
    return found
