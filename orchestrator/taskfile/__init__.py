"""Task files: text to Task, and back without changing a byte that need not change (FORMATS section 2)."""

from orchestrator.taskfile.composing import compose
from orchestrator.taskfile.file import TaskFile, TaskFileRefused, parse
from orchestrator.taskfile.frontmatter import front_matter_body
from orchestrator.taskfile.rewriting import changed, rewrite

__all__ = ["TaskFile", "TaskFileRefused", "changed", "compose", "front_matter_body", "parse", "rewrite"]
