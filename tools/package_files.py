"""Prints what belongs into the installed packages, a folder a line: folder, tab, its files parted by bars."""

import sys
from pathlib import Path

PACKAGES = ("anna", "lenet", "sim")
# Sources of the extension, and what compilers and tools leave beside them.
LEFT_OUT = {".c", ".h", ".pyx", ".pxd", ".pxi", ".so", ".pyd", ".pyc", ".o", ".orig", ".rej", ".tmp"}


def package_files(root: Path) -> dict[str, list[str]]:
    """Files by folder, both relative to the root, in a fixed order."""
    found: dict[str, list[str]] = {}
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*")):
            name = path.relative_to(root)
            hidden = any(part.startswith((".", "__pycache__")) for part in name.parts)
            if path.is_file() and not hidden and path.suffix not in LEFT_OUT and path.name != "meson.build":
                found.setdefault(name.parent.as_posix(), []).append(name.as_posix())
    return found


def example_files(root: Path) -> list[str]:
    """The examples, which stand in a folder of `sim` once they are installed."""
    return sorted(f"examples/{path.name}" for path in (root / "examples").iterdir() if path.is_file())


if __name__ == "__main__":
    for folder, files in package_files(Path(sys.argv[1])).items():
        print(folder, "|".join(files), sep="\t")
    print("sim/examples", "|".join(example_files(Path(sys.argv[1]))), sep="\t")
