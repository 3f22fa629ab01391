"""`anna data`: lists the data sets, verifies their files, and fetches them."""

import argparse
from pathlib import Path

from anna.base.errors import DataError, UsageError
from sim.cli import values
from sim.cli.command import Command, table, write
from sim.cli.options import add, positional
from sim.cli.progress import progress


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(
        parser,
        "action",
        values.choice("ACTION", "list", "verify", "fetch"),
        "{words}",
        default="list",
        nargs="?",
    )
    positional(parser, "data", values.DATA_SET, "the data set to fetch: {words}", nargs="?")
    add(parser, "--folder", default_text="ANNA_DATA")


def _run(given: argparse.Namespace) -> None:
    from lenet.datasets.digits import data_folder
    from lenet.datasets.fetch import fetch
    from lenet.datasets.registry import DATA_SETS

    if given.action == "fetch":
        if given.data is None:
            raise UsageError(f"fetch needs the name of a data set: {' or '.join(DATA_SETS)}")
        home = Path(given.folder) if given.folder is not None else data_folder()  # a named folder may be created
        with progress() as show:
            paths = fetch(given.data, home, progress=lambda *so_far: show(_line(*so_far)))
        write({"files": [str(path) for path in paths]}, "\n".join(f"{path}: intact" for path in paths), given.json)
        return
    if given.data is not None:
        raise UsageError(f"{given.action} takes no data set; it covers all of them")
    rows = [("data", "file", "state"), *_built_in(), *_files(given)]
    write({"files": [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]}, table(rows), given.json)
    damaged = [row for row in rows[1:] if row[2].startswith("damaged")]
    if given.action == "verify" and damaged:
        files, them = ("files are", "them") if len(damaged) > 1 else ("file is", "it")
        raise DataError(f"{len(damaged)} {files} damaged; `anna data fetch` replaces {them}")


def _built_in() -> list[tuple[str, str, str]]:
    from lenet.datasets.digits import calibration, holdout
    from lenet.datasets.registry import DATA_SETS

    parts = [(data, (holdout(data), calibration(data))) for data, one in DATA_SETS.items() if one.built_in]
    return [(data, "built in: " + ", ".join(f"{one.name} {len(one)}" for one in two), "intact") for data, two in parts]


def _files(given: argparse.Namespace) -> list[tuple[str, str, str]]:
    from lenet.datasets.digits import data_folder
    from lenet.datasets.fetch import verify
    from lenet.datasets.registry import DATA_SETS

    if given.action == "list" and given.folder is None and not _has_folder():
        return [(data, file.name, "no data folder") for data, one in DATA_SETS.items() for file in one.files]
    found = verify(data_folder(None if given.folder is None else Path(given.folder)))
    return [(one.data, str(one.path), one.state + (f": {one.reason}" if one.reason else "")) for one in found]


def _has_folder() -> bool:
    from lenet.datasets.digits import data_folder

    try:
        data_folder()
    except DataError:
        return False
    return True


def _line(name: str, done_bytes: int, total_bytes: int | None) -> str:
    share = f" {done_bytes / total_bytes:4.0%}" if total_bytes else ""
    return f"{name}: {done_bytes / 1e6:.1f} MB{share}"


COMMAND = Command(
    description="5,000 digits of MNIST are built in. Complete data sets are read from a folder (ANNA_DATA, or --folder);\n"
    "fetch downloads them from public mirrors and checks every byte.",
    examples=("anna data", "anna data verify --folder digits", "anna data fetch mnist --folder digits"),
    arguments=_arguments,
    run=_run,
)
