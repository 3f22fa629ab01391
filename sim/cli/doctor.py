"""`anna doctor`: reports what is installed, what runs, which digits and weights are present, and whether all is intact."""

import argparse
import platform
import sys
from importlib import metadata
from typing import Any

from anna.base.errors import AnnaError
from sim.cli.command import Command, table, write
from sim.cli.versions import versions

NEEDED = ("numpy", "pydantic", "safetensors", "matplotlib")
ONNX_PEER = "the ONNX Runtime rows of anna bench, which need both onnx and onnxruntime"
OPTIONAL = {
    "torch": "anna train and the PyTorch rows of anna bench", "onnx": ONNX_PEER, "onnxruntime": ONNX_PEER,
    "distributed": "sweeps on a cluster", "pyarrow": "the Parquet table of anna report",
    "scikit-learn": "some methods of anna published --table-1998",
}  # fmt: skip


def _optional() -> dict[str, str]:
    """Optional packages, and what needs them."""
    from lenet.datasets.registry import DATA_SETS

    files = [(one.name, file) for one in DATA_SETS.values() for file in one.files if file.needs]
    return {**OPTIONAL, **{file.needs: f"reading the {data} digits from {file.name}" for data, file in files}}


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _engine() -> dict[str, Any]:
    try:
        from anna.engine import is_checked, simd_levels

        return {"built": True, "checked": is_checked(), "simd_levels": list(simd_levels())}
    except AnnaError as error:
        return {"built": False, "reason": str(error)}


def _digits() -> list[dict[str, str]]:
    from lenet.datasets import registry
    from lenet.datasets.digits import built_in, data_folder
    from lenet.datasets.fetch import verify

    sets = registry.DATA_SETS.values()
    found = [{"data": one.name, "file": f"built in: {len(built_in(one.name))} digits", "state": "intact"}
             for one in sets if one.built_in]  # fmt: skip
    try:
        folder = data_folder()
    except AnnaError as error:
        return [*found, {"data": ", ".join(registry.DATA_SETS), "file": "", "state": str(error)}]
    return found + [{"data": one.data, "file": str(one.path), "state": one.state} for one in verify(folder)]


def _folder() -> str | None:
    from lenet.datasets.digits import data_folder

    try:
        return str(data_folder())
    except AnnaError:
        return None


def _weights() -> list[dict[str, str]]:
    import lenet
    from lenet.networks.catalogue import WEIGHTS, shipped

    found = []
    for stem in shipped():
        try:
            from anna.network.file import load_graph

            state = f"intact, {load_graph(WEIGHTS / f'{stem}.safetensors').connections:,} connections"
        except AnnaError as error:
            state = str(error)
        found.append({"weights": stem, "state": state})
    missing = [name for name in lenet.names if not any(one["weights"].startswith(f"{name}-") for one in found)]
    return found + [{"weights": name, "state": "not shipped"} for name in missing]


def _run(given: argparse.Namespace) -> None:
    from anna.chip.machines import DEFAULT, MACHINES

    engine, digits, weights, ours = _engine(), _digits(), _weights(), versions()
    optional = _optional()
    packages = {name: _version(name) for name in (*NEEDED, *optional)}
    result = {
        **ours, "python": platform.python_version(), "machine": platform.machine(), "engine": engine,
        "machines": list(MACHINES), "default_machine": DEFAULT,
        "packages": packages, "digits": digits, "weights": weights, "data_folder": _folder(),
    }  # fmt: skip
    formats = ", ".join(f"{kind} {number}" for kind, number in ours["formats"].items())
    rows = [("anna", ours["anna"]), ("noise", f"version {ours['noise']}"), ("file formats", formats),
            ("python", f"{platform.python_version()} at {sys.executable}"), ("processor", platform.machine()),
            ("machines", f"{', '.join(MACHINES)}; {DEFAULT} if none is named")]  # fmt: skip
    if engine["built"]:
        kind = "checked build" if engine["checked"] else "fast build"
        rows.append(("engine", f"{kind}; SIMD levels: {', '.join(engine['simd_levels'])}"))
    else:
        rows.append(("engine", engine["reason"]))
    rows += [(name, packages[name] or "missing: pip install .") for name in NEEDED]
    rows += [(name, packages[name] or f"not installed; only needed for {use}") for name, use in optional.items()]
    rows += [("digits", f"{one['data']} {one['file']}: {one['state']}") for one in digits]
    rows += [("weights", f"{one['weights']}: {one['state']}") for one in weights]
    write(result, table(rows), given.json)


COMMAND = Command(
    description="Reports which packages are installed, whether the engine is built and for which SIMD levels, which digits\n"
    "and trained weights are present, and whether they are intact.",
    examples=("anna doctor",),
    arguments=lambda _: None,
    run=_run,
)
