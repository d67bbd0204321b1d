"""The command line: one file a command, and no science."""

from atomsight.cli.app import main

__all__ = ["main"]
