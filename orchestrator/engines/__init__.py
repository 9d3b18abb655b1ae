"""Where invocations run."""
