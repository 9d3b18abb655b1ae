"""Decides. Pure: no file, no process, no clock."""
