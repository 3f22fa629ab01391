"""How long compiling takes, and how much memory: one network, in a process of its own.

    python benchmarks/compiling.py NETWORK [--images FILE.npz] [--count N] [--machine M] [--max-pages N] [--maxima WHERE]

NETWORK is a LeNet by name, or an .onnx or .safetensors file. Without images, a LeNet takes the built-in digits, any other
network drawn images of natural statistics. Prints processor time, time, peak memory and what was compiled.
"""

import argparse
import resource
import time
import warnings
from pathlib import Path

import numpy as np

import anna
import lenet
from sim.bench.natural import natural
from sim.inputs.models import load_network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network")
    parser.add_argument("--images", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--machine", default="sequencer")
    parser.add_argument("--max-pages", type=int)
    parser.add_argument("--maxima", default="auto")
    given = parser.parse_args()
    network = load_network(given.network)
    if given.images is not None:
        with np.load(given.images) as held:
            images = held["images"][: given.count].reshape(-1, *network.input_shape)
    elif network.prepare is not None:
        images = lenet.calibration()[0][: given.count]
    else:
        images = natural(network.input_shape, given.count)
    machine = anna.MACHINES[given.machine]
    if given.max_pages is not None:
        machine = machine.with_fields(max_pages=given.max_pages)
    warnings.simplefilter("ignore")
    begun, used = time.perf_counter(), time.process_time()
    anna.plan(network, machine=machine)
    planned, plan_used = time.perf_counter() - begun, time.process_time() - used
    begun, used = time.perf_counter(), time.process_time()
    report = anna.compile(network, images, machine=machine, maxima=given.maxima).report
    clock, processor = time.perf_counter() - begun, time.process_time() - used
    assert report is not None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{network.name}: plan {plan_used:.2f} s of processor time ({planned:.2f} s), compile {processor:.2f} s ({clock:.2f} s)"
        f", peak {peak:,.0f} MB; {report['pages']} pages, {report['instructions']:,} instructions, "
        f"{report['cycles_per_image']:,.0f} cycles an image"
    )


if __name__ == "__main__":
    main()
