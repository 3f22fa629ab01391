"""What of a long run is kept in a folder, so that an interrupted one goes on."""

import hashlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.base.border import ARRAYS, border, read_bytes
from anna.base.container import write_beside
from anna.base.unpacking import npz_arrays


class Kept:
    """A folder of results that took minutes, each under a key that says all that it depends on. None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        if folder is not None:
            folder.mkdir(exist_ok=True)

    def arrays(self, key: str, make: Callable[[], tuple[NDArray[Any], ...]]) -> tuple[NDArray[Any], ...]:
        """What was kept under this key, or else what is made now."""
        if self.folder is None:
            return make()
        path = self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.npz"
        if path.exists():
            found = npz_arrays(read_bytes(path, ARRAYS), path, ARRAYS)
            with border(path, ARRAYS):
                return tuple(found[f"arr_{k}"] for k in range(len(found)))
        made, content = make(), io.BytesIO()
        np.savez(content, *made)
        write_beside(path, content.getvalue())
        return made

    def array(self, key: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The same of a single array."""
        return self.arrays(key, lambda: (make(),))[0]

    def remove(self) -> None:
        """Removes the folder once everything is done."""
        if self.folder is not None:
            for path in self.folder.glob("*.npz"):
                path.unlink()
            self.folder.rmdir()
