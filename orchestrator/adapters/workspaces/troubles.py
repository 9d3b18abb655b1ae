"""The disk's refusals, told by git in words: made errors again, so that whoever waits for room waits."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.adapters.git import GitError

_WORDS = {os.strerror(code): code for code in (errno.ENOSPC, errno.EDQUOT, errno.EROFS)}


def check_disk(stderr: str, where: str) -> None:
    """Raises OSError where git says that the disk is full or read-only. Git's words are the C library's."""
    for words, code in _WORDS.items():
        if words in stderr:
            raise OSError(code, words, where)


@contextmanager
def disk_troubles_raised(where: str) -> Iterator[None]:
    """A GitError that tells of the disk becomes the OSError that it was."""
    try:
        yield
    except GitError as error:
        check_disk(error.stderr, where)
        raise
