"""The command line `anna`: one file per command, one table of commands, errors in one sentence."""
