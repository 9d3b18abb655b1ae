"""The embedded tool: writes a brief of a task from the task file and the workspace.

It only reads, and the same input gives the same output. An ordinary tool of config/tools.yaml, run as a process:
`python -m orchestrator.brief`.
"""
