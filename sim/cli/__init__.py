"""The command line `anna`: one file a command, one table of commands, errors in one sentence."""

from sim.cli.main import main

__all__ = ["main"]
