"""Prints what the build needs of `anna/native/levels.py`: a header of all levels, or one level a line, with its flags."""

import runpy
import sys
from pathlib import Path

levels_for = runpy.run_path(str(Path(__file__).parents[1] / "anna" / "native" / "levels.py"))["levels_for"]


def header(processor: str) -> str:
    """LEVEL(name, whether the processor at hand has what it needs), best first."""
    lines = ["/* The SIMD levels, made by tools/simd_levels.py from anna/native/levels.py. */"]
    for level in levels_for(processor):
        lines.append(f"LEVEL({level.name}, {' && '.join(f'HAS({need})' for need in level.needs) or '1'})")
    return "\n".join(lines)


def build(processor: str) -> str:
    """Name, vocabulary and flags."""
    return "\n".join(f"{level.name};{level.vocabulary};{' '.join(level.flags())}" for level in levels_for(processor))


if __name__ == "__main__":
    print({"header": header, "build": build}[sys.argv[1]](sys.argv[2]))
