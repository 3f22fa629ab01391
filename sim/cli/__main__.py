"""`python -m sim.cli` runs `anna`."""

import sys

from sim.cli.start import main

sys.exit(main())
