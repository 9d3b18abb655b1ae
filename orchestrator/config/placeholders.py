"""The `{placeholders}` that the program fills in a tool's command (FORMATS section 3); a tool adds its own `options`.

`python` is this interpreter: the tools that ship with the program are run by it. `task_file` and `work_folder` are for
tools that read the task themselves.
"""

PLACEHOLDERS = (
    "binary",
    "budget_usd",
    "model",
    "output_file",
    "prompt",
    "prompt_file",
    "python",
    "session_id",
    "system_prompt_file",
    "task_file",
    "timeout_seconds",
    "work_folder",
    "workspace",
)
