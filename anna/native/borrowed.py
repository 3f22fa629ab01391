"""Sources without compiled modules beside them borrow the installed ones, if these were built from these very sources.

So `import anna` works in a clone right after `pip install .`, where Python finds the clone's folder first.
"""

import hashlib
import sys
from collections.abc import Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, FileFinder, ModuleSpec
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
DIGEST = Path("anna", "native", "sources.txt")  # written by the build, and installed
COMPILED = {".c", ".h", ".pyx", ".pxd", ".pxi"}
MADE_FROM = {
    "meson.build", "levels.py", "simd_levels.py", "fields.py", "engine_fields.py", "thermal_tables.py", "thermal_header.py",
}  # fmt: skip


def sources(root: Path) -> str:
    """A digest of all that the compiled modules are built from: another one may mean other bits."""
    digest = hashlib.sha256((root / "meson.build").read_bytes())
    for folder in ("anna", "lenet", "tools"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in COMPILED or path.name in MADE_FROM:
                digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class Borrowed:
    """Finds compiled modules of `anna` and `lenet`, and nothing else, in a folder of installed packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        package, *rest = name.split(".")
        if package not in ("anna", "lenet"):
            return None
        finder = FileFinder(str(self.folder.joinpath(package, *rest[:-1])), (ExtensionFileLoader, EXTENSION_SUFFIXES))
        return finder.find_spec(name)


def borrow() -> str:
    """Let what is missing here be found there; if that cannot be, why not."""
    if not (ROOT / "meson.build").exists():
        return ""
    for folder in (Path(entry).resolve() for entry in sys.path):
        if folder != ROOT and (folder / DIGEST).exists():
            if (folder / DIGEST).read_text() != sources(ROOT):
                return f"the package installed in {folder} was built from other sources than those in {ROOT}"
            if not any(isinstance(one, Borrowed) for one in sys.meta_path):
                sys.meta_path.append(Borrowed(folder))
            return ""
    return ""
