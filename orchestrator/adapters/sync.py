"""Work branches between machines: each host pushes its own, and fetches everybody's. One branch a host never conflicts.

Nothing is ever forced, and nothing raises for what a network does: the report says it.
"""

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.adapters.git import Git
from orchestrator.adapters.place import Place
from orchestrator.adapters.remote import Remote
from orchestrator.core.settings import TrailSettings
from orchestrator.errors import OrchestratorError

HOSTS = "refs/heads/orchestrator/hosts/"
_LONGEST = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class HostBranch:
    """The work branch of a host, as last fetched."""

    host: str
    ref: str  # the full name of the tracking ref here
    tip: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """What became of a push and a fetch, for people and for --json."""

    host: str
    remote: str
    pushed: str = ""  # the commit that the remote now has of this host; '' where nothing was pushed
    hosts: tuple[HostBranch, ...] = ()  # everybody's, our own included
    why: tuple[str, ...] = ()  # what did not work, a sentence each; empty: all is well


class Sync:
    """Pushes the local work branch and fetches the hosts'. Plain blocking code for one thread."""

    def __init__(self, git: Git, place: Place, settings: TrailSettings, host: str, *, seconds: float = 60) -> None:
        """`git` runs anywhere in the repository; `host` is a name as `host_name` makes it."""
        self._git = git if place.common_dir is None else Git(place.common_dir, git.env)
        self._branch = f"refs/heads/{settings.branch}"
        self._name = settings.remote
        self.host = host
        self.remote = Remote(self._git, settings.remote, seconds)

    def push(self) -> SyncReport:
        """Pushes the work branch as this host's, if it is ahead."""
        try:
            self.remote.check()
            tip = self._git.tip(self._branch)
        except OrchestratorError as error:
            return self._report(why=(str(error),))
        if not tip:
            return self._report(why=(f"there is no branch {self._branch.removeprefix('refs/heads/')} yet to push",))
        ref = HOSTS + self.host
        pushed = self.remote.push([f"{tip}:{ref}"])
        result = pushed.refs.get(ref)
        if result is not None and result.is_there:
            return self._report(pushed=tip)
        return self._report(why=(self._refused(result.why if result else "", pushed.trouble),))

    def fetch(self) -> SyncReport:
        """Fetches every host's branch."""
        why: tuple[str, ...] = ()
        try:
            self.remote.check()
            self.remote.fetch([f"+{HOSTS}*:{self._tracking}*"])
        except OrchestratorError as error:
            why = (str(error),)
        return self._report(hosts=self.known(), why=why)

    def sync(self) -> SyncReport:
        """Both."""
        pushed, fetched = self.push(), self.fetch()
        why = tuple(dict.fromkeys((*pushed.why, *fetched.why)))
        return self._report(pushed=pushed.pushed, hosts=fetched.hosts, why=why)

    def others(self) -> Mapping[str, str]:
        """The other hosts' names with the newest commits of their work branches, fetched now. Raises RemoteError."""
        self.remote.fetch([f"+{HOSTS}*:{self._tracking}*"])
        return {branch.host: branch.tip for branch in self.known() if branch.host != self.host}

    def known(self) -> tuple[HostBranch, ...]:
        """The hosts' branches as they were last fetched."""
        if not self._name or self._name.startswith("-"):
            return ()
        said = self._git.call("for-each-ref", "--format=%(objectname) %(refname)", "--", self._tracking)
        lines = said.stdout.decode(errors="replace").splitlines()
        pairs = [line.split(" ", 1) for line in lines]
        return tuple(HostBranch(host=ref.removeprefix(self._tracking), ref=ref, tip=tip) for tip, ref in pairs)

    @property
    def _tracking(self) -> str:
        return f"refs/remotes/{self._name}/orchestrator/hosts/"

    def _refused(self, why: str, trouble: str) -> str:
        if trouble:
            return f"{self._name}: {trouble}"
        if "non-fast-forward" in why or "fetch first" in why:
            return (
                f"{self._name} has commits of host {self.host} that this repository lacks, and nothing was "
                "overwritten: another machine uses that name (set ORCHESTRATOR_HOST on one of them), or this "
                f"repository was restored from before (git fetch {self._name} {HOSTS}{self.host} shows them)"
            )
        return f"{self._name} refused the push of host {self.host}: {why or 'it did not answer'}"

    def _report(self, *, pushed: str = "", hosts: tuple[HostBranch, ...] = (), why: tuple[str, ...] = ()) -> SyncReport:
        return SyncReport(host=self.host, remote=self._name, pushed=pushed, hosts=hosts, why=why)


def host_name(environ: Mapping[str, str]) -> str:
    """This machine's name in branches and claims: ORCHESTRATOR_HOST, else the system's, as letters, digits, - and _."""
    raw = environ.get("ORCHESTRATOR_HOST") or socket.gethostname()
    return re.sub(r"[^A-Za-z0-9_]+", "-", raw).strip("-_").lower()[:_LONGEST].rstrip("-_") or "host"
