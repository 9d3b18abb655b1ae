"""The error tree: the class decides the exit code (the table is docs/reference/exit-codes.md).

OrchestratorError            1   an expected failure: the message says where, what and what to do
├── UsageError               2   the call's words are off
├── NoDaemonError            3   a daemon is needed and none runs
├── NotFoundError            4   no such task, agent, tool or folder
├── BusyError                5   somebody else holds the lock
├── InternalError           70   our bug; the message names the file with the traceback
├── ConfigRefusedError      78   the daemon will not start on this configuration
├── TimedOutError          124   a limit on time was reached
└── InterruptedByPersonError 130 Ctrl-C
"""


class OrchestratorError(Exception):
    """An expected failure. `str(error)` is the whole message for a person."""

    exit_code = 1


class UsageError(OrchestratorError):
    """The call's words are off."""

    exit_code = 2


class NoDaemonError(OrchestratorError):
    """A daemon is needed and none runs."""

    exit_code = 3


class NotFoundError(OrchestratorError):
    """No such task, agent, tool or folder."""

    exit_code = 4


class BusyError(OrchestratorError):
    """Somebody else holds the lock."""

    exit_code = 5


class InternalError(OrchestratorError):
    """Our bug; the message names the file with the traceback."""

    exit_code = 70


class ConfigRefusedError(OrchestratorError):
    """The daemon will not start on this configuration."""

    exit_code = 78


class TimedOutError(OrchestratorError):
    """A limit on time was reached."""

    exit_code = 124


class InterruptedByPersonError(OrchestratorError):
    """Ctrl-C."""

    exit_code = 130
