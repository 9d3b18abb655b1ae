"""Where everything is in a workspace, by name (FORMATS section 1). Pure path arithmetic on strings with /."""

COLLABORATION = "collaboration"
INBOX = f"{COLLABORATION}/inbox"
ASSIGNED = f"{COLLABORATION}/assigned"
DONE = f"{COLLABORATION}/done"
REJECTED = f"{COLLABORATION}/rejected"
FRIDGE = f"{COLLABORATION}/fridge"
ARCHIVE = f"{COLLABORATION}/archive"
TELEMETRY = "telemetry"
RUNS = "runs"
LOGS = "reports/logs"
AGENT_STATUS = f"{COLLABORATION}/AGENT_STATUS.md"
HANDOFFS = f"{COLLABORATION}/HANDOFFS.md"
WORKFLOW_LOG = f"{COLLABORATION}/WORKFLOW_LOG.md"

CONFIG_FILES = ("agents.yaml", "tools.yaml", "models.yaml", "policies.yaml")  # in the folder of the configuration

FULL = 256  # entries: no folder that the daemon fills grows past this
TASK_SUFFIXES = (".yaml", ".yml")
_UNFINISHED = ("~", ".tmp", ".part", ".swp")


def is_task_name(name: str) -> bool:
    """Whether a file of that name can be a task: a YAML suffix, no dot in front, not a half-written one."""
    return not is_unfinished(name) and name.endswith(TASK_SUFFIXES)


def is_unfinished(name: str) -> bool:
    """Whether that name says that the file is hidden or still being written."""
    return name.startswith(".") or name.endswith(_UNFINISHED)


def stem(name: str) -> str:
    """The file name without its task suffix."""
    for suffix in TASK_SUFFIXES:
        if name.endswith(suffix):
            return name[: -len(suffix)]
    return name


def bucket(date: str, number: int) -> str:
    """The n-th folder of a day (1-based): 2026-02-12, then 2026-02-12.2, 2026-02-12.3, ..."""
    return date if number <= 1 else f"{date}.{number}"
