"""`anna run`: runs a program on images."""

import argparse
import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.noise import NOISE_VERSION
from anna.analog.parameters import Analog
from anna.base.container import write_beside
from anna.base.errors import DataError, UsageError
from anna.machine.chip import Chip, Result
from anna.program.file import Program
from sim.cli import values
from sim.cli.command import Command, output_file, table, write
from sim.cli.drawn import first_seed
from sim.cli.machine import host_text, machine_facts, machine_text
from sim.cli.options import add, positional
from sim.inputs.digits import Images
from sim.inputs.files import images_and_labels, read_codes
from sim.inputs.own_images import checked_labels

IMAGES_PRINTED = 8  # images whose outputs are printed as text
STATES_PRINTED = 32  # states of an output that are printed as text
MOST_RANDOM = 1 << 28  # states, of two bytes each


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "file", values.file(".anna"), "a program")
    add(parser, "--images")
    add(parser, "--codes")
    add(parser, "--random")
    add(parser, "--count", default_text="all")
    add(parser, "--analog", default_text="ideal; with --chip-seed, typical")
    add(parser, "--chip-seed", default_text="0")
    add(parser, "--noise-seed", default=0)
    add(parser, "--slot", default_text="the last, whose charges are oldest")
    add(parser, "--threads", default_text="all cores")
    add(parser, "--simd", default_text="the best available")
    add(parser, "--interpreter")
    add(parser, "--output", kind=values.file(".npz"), default_text="no file, only the table")


def _result(given: argparse.Namespace, program: Program, chip: Chip) -> tuple[Result, Images | None]:
    """The result on images or state codes, and the images' labels if known."""
    options = {"noise_seed": given.noise_seed, "threads": given.threads, "simd": given.simd, "slot": given.slot,
               "engine": "interpreter" if given.interpreter else "engine"}  # fmt: skip
    sources = {"--images": given.images, "--codes": given.codes, "--random": given.random}
    named = [f"{option} {source}" for option, source in sources.items() if source is not None]
    if not named:
        raise UsageError("no images given; give one of --images SOURCE, --codes FILE and --random N")
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} are given; expected one of them")
    if given.images is not None:
        images, labels = images_and_labels(given.images, given.count)
        if program.host is None:
            raise DataError(f"program {program.name} has no host to prepare images; give state codes with --codes FILE")
        return chip.run(program, images, **options), labels
    if given.codes is not None:
        codes = read_codes(Path(given.codes), program.input.shape)
        if given.count is not None and not 0 <= given.count <= len(codes):
            raise DataError(f"{given.count} images requested, but {given.codes} has {len(codes)}")
        return chip.run_codes(program, codes[: given.count], **options), None
    return chip.run_codes(program, _random(given, program), **options), None


def _random(given: argparse.Namespace, program: Program) -> NDArray[np.uint16]:
    if given.count is not None:
        raise UsageError(f"--random {given.random} already says how many; leave out --count")
    if not 0 <= given.random <= 10_000_000:
        raise UsageError(f"--random {given.random}: expected 0 to 10000000 images")
    if given.random * program.input.size > MOST_RANDOM:
        raise UsageError(
            f"--random {given.random}: images of {program.input.size:,} states; expected at most {MOST_RANDOM:,} in all"
        )
    if given.noise_seed < 0:
        raise UsageError(f"noise seed is {given.noise_seed}; expected at least 0")
    rng, top = np.random.default_rng(given.noise_seed), 1 << program.spec.state_bits
    return rng.integers(0, top, (given.random, *program.input.shape), dtype=np.uint16)


def _run(given: argparse.Namespace) -> None:
    program = Program.load(given.file)
    output = output_file(given.output) if given.output else None
    kind = given.analog or ("ideal" if given.chip_seed is None else "typical")
    analog = Analog.named(kind)
    seed = first_seed(given, [analog])
    result, labels = _result(given, program, Chip(seed=seed, analog=analog))
    errors = _errors(result, labels)
    if output:
        _save(output, result)
    facts = {
        "images": result.images,
        "seed": seed,
        "chip_seed": seed,
        "noise_seed": given.noise_seed,
        "noise_version": NOISE_VERSION,
        "analog": kind,
        "slot": None if program.spec.wide else program.batch - 1 if given.slot is None else given.slot,
        "cycles_per_image": result.cycles_per_image,
        "chip_us_per_image": result.timeline.seconds_per_image * 1e6,
        "chip_seconds": result.seconds,
        **machine_facts(program),
        **({} if program.host is None else {"labels": result.labels.tolist()}),
        **_results(result),
        **errors,
        "outputs": {name: codes.tolist() for name, codes in result.codes.items()},
    }
    write(facts, _text(result, facts), given.json)


def _results(result: Result) -> dict[str, Any]:
    """Every result by name, of a network that gives several."""
    if result.program.host is None or len(result.results) == 1:
        return {}
    return {"results": {name: values.tolist() for name, values in result.results.items()}}


def _errors(result: Result, labels: Images | None) -> dict[str, Any]:
    """How many images were misread, if each image has one label."""
    if labels is None or not result.images or result.labels.ndim > 1:
        return {}
    labels = checked_labels("the images", labels, result.images, result.scores.shape[1])
    misread = int((result.labels != labels).sum())
    return {"misread": misread, "error": misread / len(labels)}


def _save(path: Path, result: Result) -> None:
    buffer = io.BytesIO()
    outputs: dict[str, Any] = dict(result.codes)
    np.savez(buffer, **outputs)
    write_beside(path, buffer.getvalue())


def _text(result: Result, facts: dict[str, Any]) -> str:
    printed = min(result.images, IMAGES_PRINTED)
    if result.program.host is not None:
        rows: list[tuple[str, ...]] = [("image", "label", "best scores")]
        for i in range(printed):
            scores = result.scores[i].reshape(len(result.scores[i]), -1).max(axis=1)
            best = np.argsort(-scores, kind="stable")[:3]
            rows.append((str(i), str(result.labels[i]), "  ".join(f"{k}: {scores[k]:.2f}" for k in best)))
    else:
        rows = [("image", *(f"{name} (state codes)" for name in result.codes))]
        for i in range(printed):
            parts = (codes[i].reshape(-1)[:STATES_PRINTED] for codes in result.codes.values())
            rows.append((str(i), *(" ".join(map(str, part)) for part in parts)))
    left = result.images - printed
    more = f"\n... and {left} more; -o FILE.npz or --json gives all" if left else ""
    ends = [f"{result.images} images, {result.cycles_per_image:,g} cycles each: {result.seconds * 1e3:,g} ms of chip time"]
    if "machine" in facts:
        ends += [f"host: {host_text(facts)}", f"machine: {machine_text(facts)}"]
    if "error" in facts:
        ends.append(f"{facts['misread']:,} of {result.images:,} misread: {facts['error']:.2%}")
    return "\n".join([f"{table(rows)}{more}\n", *ends])


COMMAND = Command(
    description="Runs a program on images: labels of a compiled network, state codes of its outputs, chip time.",
    examples=(
        "anna run edges.anna --random 10000",
        "anna run recognizer.anna --images holdout --chip-seed 7",
        "anna run mine.anna --images digits.npz --analog worst --json",
    ),
    arguments=_arguments,
    run=_run,
)
