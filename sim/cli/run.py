"""`anna run`: a program over pictures, from a file or those that are here."""

import argparse
import io
from pathlib import Path
from typing import Any

import numpy as np

from anna.analog.parameters import Analog
from anna.base.container import write_beside
from anna.base.errors import DataError
from anna.machine.chip import Chip, Result
from anna.program.file import Program
from sim.cli.board import board_facts, board_text, host_text
from sim.cli.command import Command, output_file, table, write
from sim.inputs.digits import Images
from sim.inputs.files import images_and_labels
from sim.inputs.own_digits import checked_labels

SHOWN = 8  # pictures whose outputs are printed for a person
STATES_SHOWN = 32  # states of an output that are printed for a person


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE.anna", help="a program")
    parser.add_argument("--images", metavar="IMAGES", help="pictures: a file (.npy, .npz or IDX; grey levels for a compiled "
                        "network, else state codes), or digits by name: holdout (built in), mnist, usps")  # fmt: skip
    parser.add_argument("--random", metavar="N", type=int, help="instead: N pictures of random states, from --noise-seed")
    parser.add_argument("--analog", metavar="PRESET", help="the chip's electronics: ideal, typical, worst, or a TOML file "
                        "(default: ideal, with --chip-seed typical)")  # fmt: skip
    parser.add_argument("--chip-seed", type=int, help="which chip is drawn (default 0)")
    parser.add_argument("--noise-seed", type=int, default=0, help="of the noise, and of random pictures (default 0)")
    parser.add_argument("--threads", type=int, help="threads that share the pictures (default: as many as there are cores)")
    parser.add_argument("--simd", metavar="LEVEL", help="force a SIMD level (default: the best there is)")
    parser.add_argument("--interpreter", action="store_true", help="run on the interpreter: slow, one picture at a time")
    parser.add_argument("-o", "--output", metavar="FILE.npz", help="write all output codes to a file")


def _pictures(given: argparse.Namespace, program: Program) -> tuple[Images, Images | None]:
    """The pictures, and their labels where these are known."""
    if (given.images is None) == (given.random is None):
        raise DataError("pictures are missing: give either --images IMAGES or --random N")
    region, top = program.input, 1 << program.spec.state_bits
    if given.random is not None:
        if not 0 <= given.random <= 10_000_000:
            raise DataError(f"--random {given.random}: expected 0 to 10000000 pictures")
        if given.noise_seed < 0:
            raise DataError(f"the noise seed is {given.noise_seed}; expected zero or more")
        rng = np.random.default_rng(given.noise_seed)
        return rng.integers(0, top, (given.random, *region.shape), dtype=np.uint16), None
    pictures, labels = images_and_labels(given.images, floats=program.host is not None)
    if program.host is None and len(pictures) and pictures.shape[1:] != region.shape and pictures[:1].size == region.size:
        pictures = pictures.reshape(len(pictures), *region.shape)  # 28x28 for a region of 1x28x28
    return pictures, labels


def _run(given: argparse.Namespace) -> None:
    from anna.base.threads import worker_count

    program = Program.load(given.file)
    output = output_file(given.output) if given.output else None
    pictures, labels = _pictures(given, program)
    kind, seed = given.analog or ("ideal" if given.chip_seed is None else "typical"), given.chip_seed or 0
    chip = Chip(seed=seed, analog=Analog.named(kind))
    threads = worker_count(given.threads)
    result = chip.run(program, pictures, noise_seed=given.noise_seed, threads=threads, simd=given.simd,
                      engine="interpreter" if given.interpreter else "engine")  # fmt: skip
    errors = _errors(result, labels)
    if output:
        _save(output, result)
    facts = {
        "images": result.images,
        "seed": seed,
        "chip_seed": seed,
        "noise_seed": given.noise_seed,
        "analog": kind,
        "cycles_per_image": result.cycles_per_image,
        "chip_us_per_image": result.timeline.seconds_per_image * 1e6,
        "chip_seconds": result.seconds,
        **board_facts(program),
        **({} if program.host is None else {"labels": result.labels.tolist()}),
        **errors,
        "outputs": {name: codes.tolist() for name, codes in result.codes.items()},
    }
    write(facts, _text(result, facts), given.json)


def _errors(result: Result, labels: Images | None) -> dict[str, Any]:
    """How many pictures were misread, of those that have one label each."""
    if labels is None or not result.images or result.labels.ndim > 1:
        return {}
    labels = checked_labels("the pictures", labels, result.images, result.scores.shape[1])
    misread = int((result.labels != labels).sum())
    return {"misread": misread, "error": misread / len(labels)}


def _save(path: Path, result: Result) -> None:
    buffer = io.BytesIO()
    outputs: dict[str, Any] = dict(result.codes)
    np.savez(buffer, **outputs)
    write_beside(path, buffer.getvalue())


def _text(result: Result, facts: dict[str, Any]) -> str:
    shown = min(result.images, SHOWN)
    if result.program.host is not None:
        rows: list[tuple[str, ...]] = [("picture", "label", "best scores")]
        for i in range(shown):
            scores = result.scores[i].reshape(len(result.scores[i]), -1).max(axis=1)
            best = np.argsort(-scores, kind="stable")[:3]
            rows.append((str(i), str(result.labels[i]), "  ".join(f"{k}: {scores[k]:.2f}" for k in best)))
    else:
        rows = [("picture", *(f"{name} (state codes)" for name in result.codes))]
        for i in range(shown):
            parts = (codes[i].reshape(-1)[:STATES_SHOWN] for codes in result.codes.values())
            rows.append((str(i), *(" ".join(map(str, part)) for part in parts)))
    more = f"\n... and {result.images - SHOWN} more; all of them with -o FILE.npz or --json" if result.images > SHOWN else ""
    ends = [f"{result.images} pictures, {result.cycles_per_image:,g} cycles each: {result.seconds * 1e3:,g} ms of chip time"]
    if "board" in facts:
        ends += [f"host: {host_text(facts)}", f"board: {board_text(facts)}"]
    if "error" in facts:
        ends.append(f"{facts['misread']:,} of {result.images:,} misread: {facts['error']:.2%}")
    return "\n".join([f"{table(rows)}{more}\n", *ends])


COMMAND = Command(
    summary="run a program over pictures",
    description="Runs a program over pictures: labels of a compiled network, state codes of its outputs, chip time.",
    examples=(
        "anna run edges.anna --random 10000",
        "anna run recognizer.anna --images holdout --chip-seed 7",
        "anna run mine.anna --images digits.npz --analog worst --json",
    ),
    arguments=_arguments,
    run=_run,
)
