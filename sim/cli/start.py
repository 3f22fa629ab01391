"""The first instants of `anna`: until the command line is loaded, Ctrl-C ends the process and nothing is printed."""

import signal


def main() -> int:
    """Runs the command line."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not in the background of a script
    if usual:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from sim.cli.main import main as run

    if usual:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run()
