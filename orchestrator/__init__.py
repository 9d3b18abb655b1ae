"""Turns a folder of task files into reviewed commits. Nothing happens on import."""

__version__ = "0.1.0"
