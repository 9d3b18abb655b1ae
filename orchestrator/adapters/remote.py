"""One remote of a repository, spoken to without prompts and with a limit on time: pushing, fetching, listing refs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.adapters.git import Git, GitError
from orchestrator.errors import OrchestratorError

# What a person's configuration would add to a push, ask for, or start.
_PLAIN_PUSH = ("--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no", "--no-signed")
_PLAIN_FETCH = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-prune")


@dataclass(frozen=True, slots=True)
class RefResult:
    """What became of one ref of a push."""

    flag: str  # of `git push --porcelain`: ' ' forwarded, '*' new, '-' deleted, '=' as it was, '!' refused
    why: str  # git's own words

    @property
    def is_there(self) -> bool:
        """Whether the remote now has what was pushed."""
        return self.flag != "!"


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a push. A ref that is not in `refs` may or may not have arrived: the answer was lost."""

    refs: Mapping[str, RefResult]
    trouble: str  # why the push as a whole failed, in git's words; '' where every ref has its own answer


class RemoteError(OrchestratorError):
    """The remote did not answer, or there is none; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A configured remote, by its name."""

    git: Git
    name: str
    seconds: float = 60

    def check(self) -> None:
        """Raises RemoteError where no such remote is configured."""
        if not self.name or self.name.startswith("-") or not self.git.succeeds("config", "--get", self._key("url")):
            raise RemoteError(
                f"there is no remote {self.name or '(none is named)'}; git remote add NAME URL makes one, and "
                "`trail: {remote: NAME}` in config/policies.yaml names it"
            )

    def push(self, refspecs: Sequence[str], *leases: str) -> Pushed:
        """Pushes exactly these; never forced but for what a lease allows (`<ref>:<expected>`)."""
        options = [f"--force-with-lease={lease}" for lease in leases]
        try:
            said = self._git().call("push", *_PLAIN_PUSH, *options, "--", self.name, *refspecs, seconds=self.seconds)
        except GitError as error:
            return Pushed({}, error.stderr)
        refs = _results(said.stdout.decode(errors="replace"))
        if not said.returncode:
            return Pushed(refs, "")
        refused = any(not result.is_there for result in refs.values())
        return Pushed(refs, "" if refused else _words(said.stderr))

    def fetch(self, refspecs: Sequence[str]) -> None:
        """Fetches exactly these. Raises RemoteError."""
        try:
            said = self._git().call("fetch", *_PLAIN_FETCH, "--", self.name, *refspecs, seconds=self.seconds)
        except GitError as error:
            raise RemoteError(f"{self.name}: {error.stderr}") from error
        if said.returncode:
            raise RemoteError(f"{self.name}: {_words(said.stderr)}")

    def refs(self, patterns: Sequence[str]) -> dict[str, str]:
        """The remote's refs of these full names or patterns, with their ids. Raises RemoteError."""
        try:
            said = self._git().call("ls-remote", "--quiet", "--", self.name, *patterns, seconds=self.seconds)
        except GitError as error:
            raise RemoteError(f"{self.name}: {error.stderr}") from error
        if said.returncode:
            raise RemoteError(f"{self.name}: {_words(said.stderr)}")
        lines = said.stdout.decode(errors="replace").splitlines()
        return {ref: value for value, _, ref in (line.partition("\t") for line in lines)}

    def _key(self, what: str) -> str:
        return f"remote.{self.name}.{what}"

    def _git(self) -> Git:
        """Git that never asks anybody anything: a daemon has nobody to ask."""
        env = {**self.git.env, "GIT_ASKPASS": "true", "SSH_ASKPASS": "true"}
        if "GIT_SSH_COMMAND" not in os.environ and not self.git.succeeds("config", "--get", "core.sshCommand"):
            env["GIT_SSH_COMMAND"] = "ssh -oBatchMode=yes"
        return Git(self.git.folder, env)


def _results(output: str) -> dict[str, RefResult]:
    found: dict[str, RefResult] = {}
    for line in output.splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and len(parts[0]) == 1:
            found[parts[1].rpartition(":")[2]] = RefResult(parts[0], parts[2])
    return found


def _words(stderr: bytes) -> str:
    """Git's own words in one line, without its advice."""
    lines = [line.strip() for line in stderr.decode(errors="replace").splitlines()]
    told = [line for line in lines if line and not line.startswith(("hint:", "To "))]
    return "; ".join(told)[:500] or "it said nothing"
