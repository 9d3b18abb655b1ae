"""The trail in own mode: transitions become commits on a branch of their own, in a worktree of its own."""
