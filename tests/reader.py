"""A reader of the manual: what is the reader's own in a folder, and commands typed there into a shell, as they are written."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from command_line import ENV, ROOT
from small_digits import other_digits

from anna import importers, save_network

TINY = "warning: mine: the ideal chip gives"  # the network of own_files misreads more on the chip, and is told so


def own_files(folder: Path) -> None:
    """A network, the same with other weights, its images and labels: what the manual calls `mine.onnx` and `digits.npz`."""
    shutil.copy(ROOT / "tests" / "data" / "exported" / "keras_plain.onnx", folder / "mine.onnx")
    save_network(importers.load_network(folder / "mine.onnx"), folder / "mine-chip.safetensors")
    images, labels = other_digits(300)
    np.savez(folder / "digits.npz", images=images, labels=labels)


def typed(line: str, folder: Path) -> tuple[int, list[str]]:
    """The exit code of a command and what it said on standard error. The folder is its home; `anna` and `python` are ours."""
    programs = {"anna": '-m sim.cli "$@"', "python": '"$@"'}
    (folder / "bin").mkdir(exist_ok=True)
    for name, arguments in programs.items():
        path = folder / "bin" / name
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}\n', encoding="utf-8")
        path.chmod(0o755)
    env = {**ENV, "HOME": str(folder), "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    shell = ["bash", "-o", "pipefail", "-c", line]
    done = subprocess.run(shell, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.returncode, [text for text in done.stderr.splitlines() if not text.startswith(TINY)]
