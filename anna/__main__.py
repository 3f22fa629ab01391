"""`python -m anna` is the command `anna`: a door to the command line, which this package knows by name only."""

from runpy import run_module

run_module("sim.cli", run_name="__main__", alter_sys=True)
