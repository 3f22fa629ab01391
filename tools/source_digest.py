"""Prints the digest of what the compiled modules are built from; the build keeps it beside them (anna/native/borrowed.py)."""

import runpy
from pathlib import Path

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    print(runpy.run_path(str(ROOT / "anna" / "native" / "borrowed.py"))["sources"](ROOT), end="")
