"""The pages of `orchestrator help TOPIC`. docs/reference/exit-codes.md holds the first one too, and a test compares."""

EXIT_CODES = """\
  0   done
  1   an expected failure: a task failed, something was refused, a program or a disk said no
  2   the call's words are off
  3   a daemon is needed and none answers
  4   no such task, agent, tool, folder or workspace
  5   busy: somebody else holds the workspace
 70   a bug of ours; the message names the file with the traceback
 78   the daemon refuses its configuration
124   a limit on time was reached
129   exec was cancelled by SIGHUP: its terminal was closed
130   interrupted by Ctrl-C
141   whoever read our output went away, as with any program in a pipe
143   exec was cancelled by SIGTERM
"""

_EXIT_CODES = f"""\
Every command ends with one of these:

{EXIT_CODES}
`status` exits with 0 whether a daemon runs or not: that is an answer, and its JSON says which.
A command that is given several ids does what it can, and exits with the code of the first refusal.
With --json an error is printed on stdout as well:

  {{"schema": "orchestrator.error/1", "data": {{"exit_code": 4, "message": "..."}}}}
"""

_ENVIRONMENT = """\
  ORCHESTRATOR_ROOT     the repository, as --root names it
  ORCHESTRATOR_HOST     the name of this machine in claims and in the branches that `sync` pushes
  ORCHESTRATOR_<SECTION>__<KEY>=VALUE
                        a value over the configuration files, e.g. ORCHESTRATOR_POLICIES__DEFAULT__MAX_PARALLEL=2
  XDG_CONFIG_HOME       where orchestrator/ with your own configuration files is; else ~/.config
  NO_COLOR              anything: no colour
  CLICOLOR=0            no colour; CLICOLOR_FORCE=1: colour, even where it is no terminal
  COLUMNS               how wide a terminal is taken to be
  CI, TERM=dumb         nothing moves on the screen
  NOTIFY_SOCKET         set by systemd: the daemon tells when it is ready

An option beats the environment. GIT_* names that say which repository is meant are never passed on: the folder decides.
Secrets of a tool are named in config/tools.yaml and live in the environment of the daemon only.
"""

_TASK_FILE = """\
A task is one YAML file in work/collaboration/inbox/, named after its id:

  id: 2026-03-02T0900-writer-fares-page      # the file's name without .yaml; may be left out
  agent: writer                              # a key, an alias or a profile's name of config/agents.yaml
  title: Explain the winter fares
  description: |
    Say who pays what, with one example for a family.
  priority: high                             # critical, high, medium, normal, low
  depends_on: [2026-03-02T0830-backend-dev-fares]
  context:
    files: [docs/fares.md, ferry/fares.py]   # given to the tool
  artefacts: [docs/fares.md]                 # what it should produce
  timeout: 10m

Only `agent` and one of `title`, `description`, `prompt` or a body are needed. The other spelling is front matter:

  ---
  agent: writer
  title: Explain the winter fares
  ---
  Say who pays what, with one example for a family.

A file that is no task is moved to work/collaboration/rejected/, with a .why.md beside it that shows the line.
"""

TOPICS = {
    "exit-codes": ("What the exit codes mean.", _EXIT_CODES),
    "environment": ("The environment variables that count.", _ENVIRONMENT),
    "task-file": ("How a task file looks.", _TASK_FILE),
}
