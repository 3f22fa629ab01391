"""The first instants of `anna`: until the command line is loaded, Ctrl-C ends the process and nothing is printed.

Another package named anna is told here, since what follows is built on ours.
"""

import signal
import sys

from lenet.base.other_anna import is_ours, sentence


def main() -> int:
    """Runs the command line."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not in the background of a script
    if usual:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not is_ours():
        print(f"anna: {sentence()}", file=sys.stderr)
        return 2  # as for other bad input; what defines it is built on anna
    from sim.cli.main import main as run

    if usual:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run()
