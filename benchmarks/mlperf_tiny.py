"""MLPerf Tiny's four networks on the chip: compile time, chip time, pages, the host's share, and agreement with float.

    python benchmarks/mlperf_tiny.py FOLDER [--network kws ...] [--chips N] [--max-pages N] [--options JSON]

FOLDER holds kws.onnx, ic.onnx, vww.onnx and ad.onnx as the benchmark has them, kws.npz with samples of keyword spotting
(images, labels) and ad_clip.npz with windows of one clip. For the other two there are no samples here: they are judged by
agreement with the float network on images of natural statistics (noise whose power falls with the square of frequency), which
is not accuracy.
"""

import argparse
import json
import time
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import anna
from sim.bench.natural import natural

CALIBRATION, JUDGED = 100, 400
TOP = {"ic": 255.0, "vww": 1.0}  # the value of white


def samples(folder: Path, name: str, network: anna.Graph) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
    """Images, and labels where there are some."""
    if name == "kws":
        with np.load(folder / "kws.npz") as held:
            return held["images"], held["labels"]
    if name == "ad":
        with np.load(folder / "ad_clip.npz") as held:
            return held["images"].reshape(-1, *network.input_shape), None
    return natural(network.input_shape, CALIBRATION + JUDGED, TOP[name]), None


def score(
    network: anna.Graph, found: NDArray[np.float32], wanted: NDArray[np.float32], labels: NDArray[np.int64] | None
) -> str:
    """Errors against labels, changed classes, or the variance kept, in percent."""
    if network.name.startswith("ad") or network.classes > 100:
        lost = float(((found - wanted) ** 2).sum() / ((wanted - wanted.mean(axis=0)) ** 2).sum())
        return f"{100 * (1 - lost):.1f} % of variance kept"
    right = wanted.argmax(axis=1) if labels is None else labels
    share = 100 * float((found.argmax(axis=1) != right).mean())
    return f"{share:.1f} % {'changed' if labels is None else 'errors'}"


def measured(folder: Path, name: str, chips: int, options: dict[str, object]) -> str:
    """A row of the table."""
    network = anna.load_network(folder / f"{name}.onnx")
    assert isinstance(network, anna.Graph), f"{name}.onnx holds one network"
    images, labels = samples(folder, name, network)
    judged = slice(CALIBRATION, None)
    begun, used = time.perf_counter(), time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = anna.compile(network, images[:CALIBRATION], **options)  # type: ignore[arg-type]
    clock, processor = time.perf_counter() - begun, time.process_time() - used
    report = program.report
    assert report is not None
    wanted = anna.forward(network, images[judged]).scores
    known = None if labels is None else labels[judged]
    ideal = score(network, anna.Chip().run(program, images[judged]).scores, wanted, known)
    dies = [anna.Chip(seed=seed) for seed in range(chips)]
    drawn = [score(network, result.scores, wanted, known) for result in anna.run_chips(dies, program, images[judged])]
    numbers = sorted(float(text.split()[0]) for text in drawn)
    total = report["chip_multiply_adds"] + report["host_multiply_adds"]
    return (
        f"| {name} | {clock:.1f} s ({processor:.1f} s) | {report['chip_us_per_image'] / 1000:,.1f} ms | {report['pages']} | "
        f"{100 * report['host_multiply_adds'] / total:.2f} % | "
        f"{score(network, wanted, wanted, known)} | {ideal} | {np.mean(numbers):.1f} ({numbers[0]:.1f} to {numbers[-1]:.1f}) |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--network", nargs="+", default=["ad", "kws", "ic", "vww"])
    parser.add_argument("--chips", type=int, default=8)
    parser.add_argument("--options", type=json.loads, default={}, help="options of anna.compile, as JSON")
    parser.add_argument("--max-pages", type=int, help="weight pages that the board's memory holds")
    given = parser.parse_args()
    if given.max_pages is not None:
        given.options["machine"] = anna.MACHINES["sequencer"].with_fields(max_pages=given.max_pages)
    print(
        "| network | compile: time (processor) | chip | pages | host's share of products | float | ideal chip | typical chips |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name in given.network:
        print(measured(given.folder, name, given.chips, given.options), flush=True)


if __name__ == "__main__":
    main()
