"""`python -m sim.cli` runs `anna`."""

import sys

from sim.cli.main import main

sys.exit(main())
