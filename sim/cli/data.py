"""`anna data`: which digits are there, whether they are whole, and fetching them."""

import argparse
from pathlib import Path

from anna.base.errors import DataError
from sim.cli.command import Command, table, write
from sim.cli.progress import progress


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", nargs="?", choices=("list", "verify", "fetch"), default="list", help="default: list")
    parser.add_argument("data", nargs="?", metavar="DATA", help="mnist or usps (fetch only)")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="data folder (default: ANNA_DATA)")


def _run(given: argparse.Namespace) -> None:
    from lenet.datasets.catalogue import FILES, fetch, verify
    from lenet.datasets.digits import data_folder

    if given.action == "fetch":
        if given.data is None:
            raise DataError("fetch needs the name of a data set: mnist or usps")
        home = given.folder if given.folder is not None else data_folder()  # a folder that is named may be made
        with progress() as show:
            paths = fetch(given.data, home, progress=lambda *so_far: show(_line(*so_far)))
        write({"files": [str(path) for path in paths]}, "\n".join(f"{path}: whole" for path in paths), given.json)
        return
    if given.data is not None:
        raise DataError(f"{given.action} takes no data set; it looks at all of them")
    built_in = [("built-in", "holdout 4500, calibration 500", "whole")]
    if given.action == "list" and given.folder is None and not _has_folder():
        rows = [("data", "file", "state"), *built_in, *((file.data, file.name, "no data folder") for file in FILES)]
    else:
        found = verify(data_folder(given.folder))
        rows = [
            ("data", "file", "state"),
            *built_in,
            *((one.file.data, str(one.path), one.state + (f": {one.reason}" if one.reason else "")) for one in found),
        ]
    write({"files": [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]}, table(rows), given.json)
    damaged = [row for row in rows[1:] if row[2].startswith("damaged")]
    if given.action == "verify" and damaged:
        raise DataError(f"{len(damaged)} file{'s are' if len(damaged) > 1 else ' is'} damaged: anna data fetch mends it")


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
    summary="list, verify or fetch the digits",
    description="The package carries 5,000 digits. MNIST and USPS are read from a folder (ANNA_DATA, or --folder);\n"
    "fetch gets them from public mirrors and checks every byte.",
    examples=("anna data", "anna data verify --folder digits", "anna data fetch mnist --folder digits"),
    arguments=_arguments,
    run=_run,
)
