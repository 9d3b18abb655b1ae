"""Task files that a person commits to a branch of theirs are offered to the inbox, each once (ARCHITECTURE, intake).

The tree at the branch's tip decides and not the way there: a merge, a rebase or a cherry-pick of the same file is the
same path and blob. Nothing is written here: the caller notes where a task came from, then drops it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orchestrator.adapters.git import Git, GitError
from orchestrator.core.layout import is_task_name, stem
from orchestrator.core.settings import IntakeSettings
from orchestrator.core.types import TaskId

_FILE_MODES = (b"100644", b"100755")  # never a link (120000) or a submodule (160000)
_MAX_BYTES = 1 << 20  # FORMATS section 2
_MAX_NAME = 210  # an id of 200 characters and its suffix
_MAX_LOOK = 32 << 20  # bytes of task files held at once: what is left is offered at the next look
_NEAR = 200  # commits among which the origin of a file is nearly always found


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A task file on the branch that was not taken in yet."""

    path: str  # in the repository, with /
    blob: str
    commit: str  # the newest one that gave the file this content
    name: str
    content: bytes
    author: str  # of that commit, as `name <address>`; a claim of whoever made it

    @property
    def task_id(self) -> TaskId:
        """The id that a file of this name has."""
        return TaskId(stem(self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A file below the intake's folders that is not offered although it looks like a task, and why."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class _Entry:
    path: str
    blob: str


class Intake:
    """Looks for new task files on one branch. Plain blocking code for one thread.

    `is_taken(path, blob)` says whether that very file was dropped before, `is_known(id)` whether there is such a task,
    wherever it stands.
    """

    def __init__(
        self,
        git: Git,
        settings: IntakeSettings,
        *,
        is_taken: Callable[[str, str], bool],
        is_known: Callable[[TaskId], bool],
    ) -> None:
        self._asked = git
        self._settings = settings
        self._is_taken = is_taken
        self._is_known = is_known
        self._git: Git | None = None  # in the common directory: there, paths count from the top of the tree
        self._settled: object = None  # how the refs looked when a look found nothing more to offer
        self._base = ""  # the tip of that look: the next one reads only what differs from it
        self._why = ""
        self._passed_over: tuple[PassedOver, ...] = ()

    @property
    def why(self) -> str:
        """Why nothing can be found (no such branch yet, git's own words), in a sentence; empty: all is well."""
        return self._why

    @property
    def passed_over(self) -> tuple[PassedOver, ...]:
        """What the last look at a new tip left aside, for people to read."""
        return self._passed_over

    def has_moved(self) -> bool:
        """Whether a look is worth it: the branch may have moved since a look found nothing more to offer."""
        try:
            return self._signature(self._in_common_dir().folder) != self._settled
        except GitError:
            return True  # `find` says what is wrong

    def find(self, limit: int = 256) -> list[Offer]:
        """What was not taken in yet, by path, at most `limit`; ask again until it is empty.

        Costs a few file reads while the branch stands still. An offer that the caller did not take is made again.
        """
        if not self._settings.branch or not self._settings.paths:
            return []
        try:
            return self._look(limit)
        except GitError as error:
            self._why = f"intake from {self._settings.branch}: {error}"
            return []

    def _look(self, limit: int) -> list[Offer]:
        git = self._in_common_dir()
        signature = self._signature(git.folder)  # before the tip is read: what moves meanwhile is seen next time
        if signature == self._settled:
            return []
        tip = next((tip for ref in self._refs() if (tip := git.tip(ref))), "")
        if not tip:
            branch = self._settings.branch
            self._why = f"intake: there is no branch {branch} yet; nothing is taken in until somebody makes it"
            self._settled = signature
            return []
        self._why = ""
        wanted, self._passed_over = self._wanted(git, tip, limit)
        offers = self._read(git, tip, wanted)
        if not wanted:
            self._base, self._settled = tip, signature
        return offers

    def _in_common_dir(self) -> Git:
        if self._git is None:
            found = self._asked.text("rev-parse", "--path-format=absolute", "--git-common-dir")
            self._git = Git(Path(found), self._asked.env)
        return self._git

    def _refs(self) -> tuple[str, ...]:
        branch = self._settings.branch
        if branch.startswith("refs/"):
            return (branch,)
        return (f"refs/heads/{branch}", f"refs/remotes/{branch}")

    def _signature(self, common: Path) -> object:
        """Changes whenever the branch may have moved: a few microseconds, and no process, while nothing happens."""
        loose = tuple(_bytes(common / ref) for ref in self._refs())
        return loose, _stat(common / "packed-refs"), _stat(common / "reftable" / "tables.list")

    def _wanted(self, git: Git, tip: str, limit: int) -> tuple[list[_Entry], tuple[PassedOver, ...]]:
        wanted: list[_Entry] = []
        aside: list[PassedOver] = []
        ids: set[TaskId] = set()
        for mode, entry in self._entries(git, tip):
            name = entry.path.rpartition("/")[2]
            if not is_task_name(name) or self._is_taken(entry.path, entry.blob):
                continue
            if refusal := _refusal(mode, entry.path, name):
                aside.append(PassedOver(path=entry.path, why=refusal))
                continue
            task_id = TaskId(stem(name))
            if task_id in ids:
                aside.append(PassedOver(path=entry.path, why=f"another file here has the same task id {task_id}"))
            elif not self._is_known(task_id):
                ids.add(task_id)
                wanted.append(entry)
        return self._of_fit_size(git, wanted, aside, limit), tuple(aside)

    def _entries(self, git: Git, tip: str) -> Iterator[tuple[bytes, _Entry]]:
        """Files below the intake's folders: all at the tip, or those that differ from the last tip that was done."""
        folders = () if any(path in {"", ".", "./", "/"} for path in self._settings.paths) else self._settings.paths
        base = self._base
        if not base or not git.succeeds("cat-file", "-e", f"{base}^{{tree}}"):  # it may be collected after a force-push
            base = git.text("hash-object", "-t", "tree", "--stdin", stdin=b"")
        raw = git.raw(
            "--literal-pathspecs",
            "diff-tree",
            "-r",
            "-z",
            "--no-renames",
            "--diff-filter=AMT",
            base,
            tip,
            "--",
            *folders,
        )
        tokens = iter(raw.split(b"\0"))
        for head in tokens:
            if head:
                _, mode, _, blob, _ = head.split(b" ")
                yield mode, _Entry(next(tokens).decode(errors="surrogateescape"), blob.decode())

    def _of_fit_size(self, git: Git, entries: Sequence[_Entry], aside: list[PassedOver], limit: int) -> list[_Entry]:
        if not entries:
            return []
        blobs = "".join(f"{entry.blob}\n" for entry in entries).encode()
        answers = git.text("cat-file", "--batch-check=%(objectsize)", stdin=blobs).splitlines()
        fit: list[_Entry] = []
        total = 0
        for entry, answer in zip(entries, answers, strict=True):
            if not answer.isdigit():
                aside.append(PassedOver(path=entry.path, why=f"git cannot read it: {answer}"))
            elif int(answer) > _MAX_BYTES:
                aside.append(PassedOver(path=entry.path, why=f"{answer} bytes: a task file has at most {_MAX_BYTES}"))
            elif len(fit) < limit and total + int(answer) <= _MAX_LOOK:
                fit.append(entry)
                total += int(answer)
        return fit

    def _read(self, git: Git, tip: str, entries: Sequence[_Entry]) -> list[Offer]:
        if not entries:
            return []
        contents = _contents(git, entries)
        origins = _origins(git, tip, entries)
        offers: list[Offer] = []
        for entry, content in zip(entries, contents, strict=True):
            commit, author = origins.get(entry, (tip, ""))
            name = entry.path.rpartition("/")[2]
            offers.append(
                Offer(path=entry.path, blob=entry.blob, commit=commit, name=name, content=content, author=author)
            )
        return offers


def _refusal(mode: bytes, path: str, name: str) -> str:
    if mode not in _FILE_MODES:
        return "it is a link or a submodule; commit the task as a plain file"
    if not path.isprintable() or any("\ud800" <= character <= "\udfff" for character in path):
        return "its path holds control characters or is no UTF-8; rename it"
    if len(name.encode()) > _MAX_NAME:
        return f"its name is longer than {_MAX_NAME} bytes; rename it"
    return ""


def _contents(git: Git, entries: Sequence[_Entry]) -> list[bytes]:
    raw = git.raw("cat-file", "--batch", stdin="".join(f"{entry.blob}\n" for entry in entries).encode())
    contents: list[bytes] = []
    at = 0
    for _ in entries:
        end = raw.index(b"\n", at)
        size = int(raw[at:end].split(b" ")[2])
        contents.append(raw[end + 1 : end + 1 + size])
        at = end + 1 + size + 1
    return contents


def _origins(git: Git, tip: str, entries: Sequence[_Entry]) -> dict[_Entry, tuple[str, str]]:
    """The newest commit that gave each file its content, with its author; one walk for all of them."""
    missing = set(entries)
    found: dict[_Entry, tuple[str, str]] = {}
    folders = sorted({entry.path.rpartition("/")[0] or entry.path for entry in entries})
    for bound in ((f"--max-count={_NEAR}",), ()):
        # -c: a merge shows only what is in none of its parents. No setting of the person's may start a program here.
        raw = git.raw(
            "--literal-pathspecs", "log", "-z", "-c", "--raw", "--no-abbrev", "--no-renames", "--no-show-signature",
            "--no-notes", "--no-ext-diff", "--no-textconv", "--no-color", "--encoding=UTF-8", *bound,
            "--format=%H%x00%an <%ae>", tip, "--", *folders,
        )  # fmt: skip
        for commit, author, entry in _history(raw):
            if entry in missing:
                missing.discard(entry)
                found[entry] = (commit, author)
        if not missing:
            break
    return found


def _history(raw: bytes) -> Iterator[tuple[str, str, _Entry]]:
    tokens = iter(raw.split(b"\0"))
    commit = author = ""
    for token in tokens:
        head = token.strip(b"\n")
        if head.startswith(b":"):
            fields = head.lstrip(b":").split(b" ")  # modes, then ids, then the status: one of each for every parent
            yield commit, author, _Entry(next(tokens).decode(errors="surrogateescape"), fields[-2].decode())
        elif head:
            commit = head.decode()
            author = "".join(
                character for character in next(tokens).decode(errors="replace") if character.isprintable()
            )


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
