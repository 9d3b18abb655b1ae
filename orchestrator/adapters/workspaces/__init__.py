"""The folders that tools work in: a worktree for each task, the checkout, or none. Implements `ports.Workspaces`."""
