#!/usr/bin/env python3
"""Prints the version, which stands in anna/__init__.py and nowhere else."""

import re
from pathlib import Path

text = (Path(__file__).parent.parent / "anna" / "__init__.py").read_text(encoding="utf-8")
found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
if found is None:
    raise SystemExit("anna/__init__.py has no __version__")
print(found[1])
