"""The program: arguments in, an exit code out, and no exception past it."""

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from orchestrator.cli.call import Call
from orchestrator.cli.lazy import LazyGroup
from orchestrator.cli.screen import Colour, forgive_encodings
from orchestrator.errors import InternalError, InterruptedByPersonError, OrchestratorError, UsageError

NAME = "orchestrator"
COMPLETE = "_ORCHESTRATOR_COMPLETE"
READER_LEFT = 141  # what a shell reports of a program whose reader went away

_HELP = """
\b
  orchestrator demo              watch it work on a throw-away repository
  orchestrator init              make this repository a workspace
  orchestrator daemon            do what is dropped into work/collaboration/inbox
  orchestrator status            what runs, what waits, what needs you

Turns a folder of task files into reviewed commits.
"""


@click.group(cls=LazyGroup, name=NAME, help=_HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--root",
    envvar="ORCHESTRATOR_ROOT",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    metavar="DIR",
    help="The repository, or a folder in it. Default: the current folder.",
)
@click.option("--no-git", is_flag=True, help="Work without a git repository: files and events, no commits.")
@click.option(
    "--color",
    type=click.Choice([colour.value for colour in Colour]),
    default=Colour.AUTO.value,
    show_default=True,
    help="When to colour. NO_COLOR, CLICOLOR and CLICOLOR_FORCE count too.",
)
@click.option(
    "--set",
    "flags",
    multiple=True,
    metavar="KEY=VALUE",
    callback=lambda _ctx, _param, given: _pairs(given),
    help="For this call, a value of the configuration: policies.default.max_parallel=2. May be given several times.",
)
@click.pass_context
def program(ctx: click.Context, root: Path | None, no_git: bool, color: str, flags: tuple[str, ...]) -> None:
    """Sets up the call; the help is in _HELP."""
    ctx.obj = Call(root=root, use_git=not no_git, colour=Colour(color), flags=flags)


def _pairs(given: tuple[str, ...]) -> tuple[str, ...]:
    """Each has a key and a value; what they mean is known when the configuration is read."""
    for pair in given:
        if not pair.partition("=")[1] or pair.startswith("="):
            raise click.BadParameter(f"{pair!r}: write KEY=VALUE, e.g. policies.default.max_parallel=2")
    return given


def run(arguments: Sequence[str]) -> int:
    """Runs the program and returns its exit code (docs/reference/exit-codes.md)."""
    given = list(arguments)
    forgive_encodings()
    if COMPLETE in os.environ:
        from click.shell_completion import shell_complete

        return shell_complete(program, {}, NAME, COMPLETE, os.environ[COMPLETE])
    try:
        code = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    except OSError as error:  # only our own streams: everything else is answered in _run
        return _fail(given, OrchestratorError(f"the output cannot be written: {error.strerror}"))
    return code


def _run(given: list[str]) -> int:
    ctx: click.Context | None = None
    try:
        ctx = program.make_context(NAME, list(given), terminal_width=_help_width())
        with ctx:
            code = program.invoke(ctx)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(error.format_message() + "\n")
        return error.exit_code
    except click.ClickException as error:
        return _fail(given, _usage(error))
    except (KeyboardInterrupt, EOFError, click.Abort):
        return _fail(given, InterruptedByPersonError("interrupted"))
    except BrokenPipeError:
        raise
    except OrchestratorError as error:
        return _fail(given, error)
    except OSError as error:
        return _fail(given, _of_the_machine(error) or _bug(error, given, ctx))
    except Exception as error:  # noqa: BLE001 - the one place where a bug becomes a message and a file
        return _fail(given, _bug(error, given, ctx))


def _help_width() -> int:
    """As click would find it, without the 12 ms that it takes for that."""
    return max(min(Call().out.width or 80, 100) - 2, 50)


def _usage(error: click.ClickException) -> UsageError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    where = context.command_path if context else NAME
    message = error.format_message().rstrip(".")
    ours = {name for option in program.params for name in option.opts}
    if isinstance(error, click.NoSuchOption) and error.option_name in ours:
        message = f"{error.option_name} stands before the command: {NAME} {error.option_name} ..."
    return UsageError(f"{message}\nsee: {where} --help")


def _fail(given: Sequence[str], error: OrchestratorError) -> int:
    """Says it on stderr; with --json on stdout too, so that a program that reads there always finds one document."""
    message = str(error)
    try:
        if "--json" in given:
            call = Call()
            call.out.envelope("error", {"exit_code": error.exit_code, "message": message})
            sys.stdout.flush()
        sys.stderr.write(f"{NAME}: {message}\n")
        sys.stderr.flush()
    except OSError:
        return error.exit_code  # nobody is left to tell
    return error.exit_code


def _of_the_machine(error: OSError) -> OrchestratorError | None:
    """The message where the machine refuses and we are not to blame; else None."""
    ways = {
        errno.ENOSPC: "make room on the disk",
        errno.EDQUOT: "make room in the quota",
        errno.EROFS: "the disk is read-only: mount it for writing",
        errno.EACCES: "see who may write there",
        errno.EPERM: "see who may write there",
        errno.EIO: "the disk has a fault: see the system's log",
        errno.EMFILE: "raise the limit of open files: ulimit -n",
        errno.ENFILE: "the system has too many open files",
    }
    way = ways.get(error.errno or 0)
    return OrchestratorError(f"{error.filename or 'this machine'}: {error.strerror}; {way}") if way else None


def _bug(error: Exception, given: Sequence[str], ctx: click.Context | None) -> InternalError:
    import tempfile  # with shutil behind it, 12 ms
    import traceback

    text = "".join(traceback.format_exception(error))
    try:
        handle, name = tempfile.mkstemp(prefix="orchestrator-bug-", suffix=".txt", dir=_folder_for_bugs(ctx))
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"orchestrator {' '.join(given)}\n\n{text}")
    except OSError as full:
        return InternalError(f"this is a bug of ours ({type(error).__name__}: {error}); no file: {full}\n{text}")
    return InternalError(
        f"this is a bug of ours ({type(error).__name__}: {error}); "
        f"the traceback is in {name}: please report it with that file"
    )


def _folder_for_bugs(ctx: click.Context | None) -> Path | None:
    """The state folder where there is one; None is the temporary folder."""
    found = ctx.obj.found if ctx is not None and isinstance(ctx.obj, Call) else None
    return found.state if found and found.state.is_dir() else None


def _reader_left() -> int:
    """`orchestrator log | head`: quietly, and without Python's own complaint at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(nowhere, stream.fileno())
    return READER_LEFT
