"""Puts compiled modules beside their sources: pairs of a module and a folder.

Each is written beside and renamed, so that a process that has the old one open keeps it whole.
"""

import os
import shutil
import sys
from pathlib import Path

for module, folder in zip(sys.argv[1::2], sys.argv[2::2], strict=True):
    new = shutil.copy(module, Path(folder) / ".new")
    os.replace(new, Path(folder) / Path(module).name)
