"""Examinations of this machine and of a workspace: one module for each kind. They read, and change nothing."""
