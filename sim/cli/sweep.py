"""`anna sweep`: plans and runs sweeps, whole or in shards, and merges shards."""

import argparse
import re
import shlex
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anna.base.errors import UsageError
from sim.base.pace import time_left
from sim.cli import values
from sim.cli.command import Command, table, write
from sim.cli.options import add, positional
from sim.cli.progress import progress

if TYPE_CHECKING:
    from sim.sweep.run import Progress

ACTIONS = ("run", "plan", "merge", "front")
WORDS = values.Kind("[run|plan|merge|front] SPEC.toml|DIR ...", words=lambda: ACTIONS, suffixes=(".toml",), folders=True)
POINTS_PRINTED = 20  # points of a plan that are printed as text


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = (
        "anna sweep [run] SPEC.toml -o DIR [--workers N] [--cluster WHERE] [--shard K/N]\n"
        "       anna sweep plan SPEC.toml [--shard K/N]\n"
        "       anna sweep merge DIR ... -o DIR\n"
        "       anna sweep front DIR [--over error,time] [--each AXIS] [--margin 1] [--joules FILE.toml]"
    )
    positional(parser, "words", WORDS, "what to do, and with which sweep or folders (default: run)", nargs="+")
    add(parser, "--output", kind=values.FOLDER)
    add(parser, "--workers", default_text="all cores")
    add(parser, "--cluster")
    add(parser, "--trained", default_text="in the sweep's folder")
    add(parser, "--shard")
    add(parser, "--over", default_text="error,time")
    add(parser, "--each", default=[], repeatable=True)
    add(parser, "--smallest", default_text="size,time")
    add(parser, "--margin", default_text="1")
    add(parser, "--joules", default_text="no energy")


def _run(given: argparse.Namespace) -> None:
    action, words = (given.words[0], given.words[1:]) if given.words[0] in ACTIONS else ("run", given.words)
    if given.output == "-":
        raise UsageError("-: a sweep writes to a folder, not standard output; expected -o DIR")
    if action != "run" and (given.workers, given.cluster, given.trained) != (None, None, None):
        raise UsageError(f"{action} computes nothing and takes no --workers, --cluster or --trained; see anna sweep --help")
    if action != "front" and (given.over, given.each, given.smallest) != (None, [], None):
        raise UsageError(
            f"{action} takes no --over, --each or --smallest, which are of anna sweep front; see anna sweep --help"
        )
    if action == "front":
        if given.output is not None or given.shard or len(words) != 1:
            raise UsageError("front takes the folder of one sweep, and no --output or --shard; see anna sweep --help")
        _front(Path(words[0]), given)
        return
    if action != "plan" and given.output is None:
        raise UsageError(f"{action} needs a folder: -o DIR; see anna sweep --help")
    if action == "merge":
        if given.shard or not words:
            raise UsageError("merge takes one or more folders of shards, and no --shard; see anna sweep --help")
        _merge([Path(word) for word in words], Path(given.output), given.json)
        return
    if len(words) != 1:
        raise UsageError(f"{action} takes one sweep, got {len(words)} names; see anna sweep --help")
    if action == "plan":
        _plan(Path(words[0]), given)
    else:
        _sweep(Path(words[0]), given)


def _shard(text: str | None) -> tuple[int, int]:
    if text is None:
        return 1, 1
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not found:
        raise UsageError(f"shard {text!r}: expected K/N, such as 2/8")
    return int(found[1]), int(found[2])


def _sweep(path: Path, given: argparse.Namespace) -> None:
    from sim.sweep.cluster import cluster
    from sim.sweep.run import run_sweep
    from sim.sweep.spec import load_spec

    spec, shard = load_spec(path), _shard(given.shard)
    trained = None if given.trained is None else Path(given.trained)
    command = shlex.join(["anna", *sys.argv[1:]])
    workers: Any = cluster(given.cluster, given.workers) if given.cluster else nullcontext((None, None))
    with progress() as show, workers as (executor, at_once):
        done = run_sweep(spec, Path(given.output), executor=executor, at_once=at_once, workers=given.workers, shard=shard,
                         trained=trained, command=command, watch=lambda so_far: show(progress_line(so_far)))  # fmt: skip
    write(done.to_json, _text(done, Path(given.output)), given.json)


def _text(done: Any, folder: Path) -> str:
    refused = f", {done.refused} of them refused" if done.refused else ""
    return (
        f"{done.points_done} of {done.points_total} points{refused}; {done.rows} rows in {done.database}\n"
        f"{folder / 'results.csv'}; for a page with plots: anna report {shlex.quote(str(folder))}"
    )


def _plan(path: Path, given: argparse.Namespace) -> None:
    from sim.sweep.run import identity, shard_of
    from sim.sweep.spec import load_spec, value_text

    spec = load_spec(path)
    points = shard_of(spec.all_points(), _shard(given.shard))
    identity(spec)  # raises if networks, digits or records are missing
    head = ("point", *spec.axes)
    rows = [(str(point.number), *(value_text(value) for value in point.values.values())) for point in points[:POINTS_PRINTED]]
    more = f"\n... and {len(points) - POINTS_PRINTED:,} more; --json gives all" if len(points) > POINTS_PRINTED else ""
    text = (
        f"{spec.name}: {len(points):,} points, {spec.chips} chips each, {spec.count:,} images\n\n"
        f"{table([head, *rows])}{more}\n\n"
        f"in parts, one per machine:  anna sweep run {shlex.quote(str(path))} -o part1 --shard 1/4\n"
        "then together:              anna sweep merge part1 part2 part3 part4 -o whole"
    )
    result = {"name": spec.name, "points_done": 0, "points_total": len(points), "rows": 0, "database": None,
              "chips": spec.chips, "images": spec.count,
              "points": [{"point": point.number, **point.values} for point in points]}  # fmt: skip
    write(result, text, given.json)


def _merge(folders: list[Path], output: Path, as_json: bool) -> None:
    from sim.sweep.merge import merge

    done = merge(folders, output)
    missing = done.points_total - done.points_done
    text = _text(done, output) + (f"\n{missing} points are missing from all folders" if missing else "")
    write(done.to_json, text, as_json)


def _front(folder: Path, given: argparse.Namespace) -> None:
    from anna.base.container import write_beside
    from sim.results.fronts import MARGIN, OVER, SMALLEST, front

    margin = MARGIN if given.margin is None else given.margin / 100
    found = front(folder, over=given.over or OVER, each=given.each, smallest=given.smallest or SMALLEST, margin=margin,
                  joules=given.joules)  # fmt: skip
    files = {"front.svg": found.svg(), "front.txt": f"{found.table()}\n"}
    try:
        for name, text in files.items():
            write_beside(folder / name, text.encode())
    finally:
        paths = [str(folder / name) for name in files]
        write({**found.to_json(), "files": paths}, f"{found.table()}\n\n" + "\n".join(paths), given.json)


def progress_line(so_far: "Progress") -> str:
    """How far a sweep has come, and how long the rest will take."""
    if so_far.trainings:
        return f"{so_far.trainings} networks to train"
    left = so_far.seconds_left
    time = "" if left is None or so_far.done == so_far.total else f", {time_left(left)}"
    return f"{so_far.done} of {so_far.total} points{time}"


COMMAND = Command(
    description="Compiles and runs every point of a sweep on several drawn chips. After an interruption the same command\n"
    "continues; the result table is the same to the byte, whatever computes it.",
    examples=(
        "anna sweep bits.toml -o bits --workers 2",
        "anna sweep plan bits.toml",
        "anna sweep bits.toml -o bits --cluster tcp://head:8786",
        "anna sweep run bits.toml -o part3 --shard 3/8",
        "anna sweep merge part1 part2 part3 -o bits",
        "anna sweep front bits --over error,size",
    ),
    arguments=_arguments,
    run=_run,
)
