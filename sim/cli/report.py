"""`anna report`: renders a sweep's folder as one page, Markdown and tidy tables."""

import argparse
from pathlib import Path
from typing import Any

from sim.cli import values
from sim.cli.command import Command, write
from sim.cli.options import positional


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "folder", values.FOLDER, "the folder of a sweep; it may still be running")


def _run(given: argparse.Namespace) -> None:
    from anna.base.container import expect_writable, write_beside
    from sim.report.sweep_html import sweep_page
    from sim.report.sweep_text import lead, markdown
    from sim.sweep.run import RESULTS
    from sim.sweep.store import Store
    from sim.sweep.summary import read

    folder = Path(given.folder)
    with Store(folder) as store:
        expect_writable(folder / "report.html")
        found = read(store)
    pages = {"report.html": sweep_page(found), "report.md": markdown(found), RESULTS: found.csv}
    files = {name: text.encode() for name, text in pages.items()}
    parquet = _parquet(list(found.rows))
    if parquet is not None:
        files["results.parquet"] = parquet
    for name, data in files.items():
        write_beside(folder / name, data)
    done = len(found.points) + len(found.refusals)
    paths = [str(folder / name) for name in files]
    result = {"points_done": done, "points_total": found.total, "refused": len(found.refusals), "rows": len(found.rows),
              "database": str(store.path), "files": paths}  # fmt: skip
    write(result, f"{lead(found)}\n" + "\n".join(paths), given.json)


def _parquet(rows: list[dict[str, Any]]) -> bytes | None:
    """The rows as Parquet; None if pyarrow is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        return None
    sink = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_pylist(rows), sink)
    return bytes(sink.getvalue())


COMMAND = Command(
    description="Reads a sweep's folder and writes report.html, report.md and results.csv into it, and results.parquet if\n"
    "pyarrow is installed.",
    examples=("anna report bits", "anna report bits --json"),
    arguments=_arguments,
    run=_run,
)
