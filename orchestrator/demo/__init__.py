"""The throw-away repository of `orchestrator demo`: a small project with a history, and a dozen tasks, as data."""
