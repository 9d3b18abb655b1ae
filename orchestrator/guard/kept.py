"""What is kept of a stream: its first half live in its file; of the rest the end, in two files that take turns."""

# ruff: noqa: PTH108, PTH116 - pathlib costs a bare start more than all that is imported here

import os

_BLOCK = 1 << 20
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


def create(path: bytes) -> int:
    """Opens an output file, new and empty, readable by its owner alone. Raises OSError, for a link too."""
    return os.open(path, _WRITE | os.O_APPEND, 0o600)


class Kept:
    """One stream on its way to disk. A disk that refuses loses bytes, which are counted, and nothing else."""

    __slots__ = ("_fd", "_gap", "_half", "_part", "_path", "_room", "_tail", "lost", "total")

    def __init__(self, path: bytes, bound: int) -> None:
        self._path = path
        self._fd = create(path)
        self._half = bound // 2
        self._room = self._half  # in the file that is written now
        self._tail = -1  # the file of the end that is written now
        self._part = 0  # which one of those it is, counted from 1; 0: still the head
        self._gap = 0  # bytes that the disk refused and that no note stands for yet
        self.total = 0  # bytes that came
        self.lost = 0  # of them, those that are not on disk

    def add(self, data: bytes) -> None:
        """Keeps what the tool wrote."""
        self.total += len(data)
        if not self._half:
            self.lost += len(data)
            return
        view = memoryview(data)
        while view:
            if not self._room:
                view = view[self._leap(len(view)) :]
                self._turn()
            part = view[: self._room]
            self._write(part)
            self._room -= len(part)  # also what was refused: the turns come when they should
            view = view[len(part) :]

    def skip(self, count: int) -> None:
        """Counts bytes that are not to be kept."""
        self.total += count
        self.lost += count

    def finish(self) -> None:
        """Makes it one file again, and durable."""
        if self._tail >= 0:
            os.close(self._tail)
            try:
                self.lost += join(self._path, self._half)
            except OSError:  # the disk has no room for both: what stands in the file by now is what there is
                self.lost = max(self.lost, self.total - os.fstat(self._fd).st_size)
                for number in _parts(self._path):
                    _unlink(_part(self._path, number))
        try:
            if self.total:
                os.fsync(self._fd)
        except OSError:
            self.lost = max(self.lost, 1)  # how much of it will be there is not known
        finally:
            os.close(self._fd)

    def _leap(self, coming: int) -> int:
        """How much of what comes need not be written, as what comes after it would replace it at once."""
        parts = max(0, coming // self._half - 2)
        if parts and self._part:
            for number in (self._part - 1, self._part):
                _unlink(_part(self._path, number))
        self._part += parts
        return parts * self._half

    def _turn(self) -> None:
        """Goes on in the next file of the end, and lets go of the one before the last."""
        if self._tail >= 0:
            os.close(self._tail)
            self._tail = -1
        self._part += 1
        self._room = self._half
        if self._part > 2:
            _unlink(_part(self._path, self._part - 2))
        try:
            self._tail = os.open(_part(self._path, self._part), _WRITE, 0o600)
        except OSError:
            self._tail = -1

    def _write(self, data: memoryview) -> None:
        target = self._tail if self._part else self._fd
        if target < 0:
            self._refused(len(data))
            return
        try:
            if self._gap:
                os.write(target, note(self._gap))
                self._gap = 0
            while data:
                data = data[os.write(target, data) :]
        except OSError:
            self._refused(len(data))

    def _refused(self, count: int) -> None:
        self._gap += count
        self.lost += count


def join(path: bytes, half: int) -> int:
    """Puts the end of a stream behind its head, with a line that says how much is left out between them.

    Can be repeated after a crash in the midst of it.

    Returns:
        The bytes left out. 0 too where there was no end beside the head.
    """
    parts = _parts(path)
    if not parts or half <= 0:
        return 0
    sizes = [os.stat(_part(path, number)).st_size for number in parts]
    skipped = max(0, sum(sizes) - half)  # of the older of the two
    left_out = skipped + (parts[0] - 1) * half
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        if os.fstat(fd).st_size > half:
            os.ftruncate(fd, half)
        if left_out:
            _all(fd, note(left_out))
        for number in parts:
            skipped = _copy(_part(path, number), fd, skipped)
        os.fsync(fd)
    finally:
        os.close(fd)
    for number in parts:
        os.unlink(_part(path, number))
    return left_out


def note(count: int) -> bytes:
    """The line that stands for bytes that are not there."""
    return b"\n[... %s bytes left out ...]\n" % f"{count:,}".encode()


def _copy(source: bytes, target: int, skip: int) -> int:
    """Appends a file but for its first `skip` bytes; how many are still to be skipped after it."""
    fd = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        size = os.fstat(fd).st_size
        offset = min(skip, size)
        while data := os.pread(fd, _BLOCK, offset):
            _all(target, data)
            offset += len(data)
        return max(0, skip - size)
    finally:
        os.close(fd)


def _all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _unlink(path: bytes) -> None:
    try:
        os.unlink(path)
    except OSError:
        return  # it never came to be, or the disk refuses: then it is taken away at the end


def _part(path: bytes, number: int) -> bytes:
    return b"%s.tail%d" % (path, number)


def _parts(path: bytes) -> list[int]:
    """The numbers of the files of the end, the older one first; at most two."""
    folder, name = os.path.split(path)
    start = name + b".tail"
    found = [one[len(start) :] for one in os.listdir(folder or b".") if one.startswith(start)]
    return sorted(int(one) for one in found if one.isdigit())[-2:]
