"""`python -m sim.cli` is `anna`."""

import sys

from sim.cli.main import main

sys.exit(main())
