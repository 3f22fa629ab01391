"""The commands of this version against those of another one, in processes that take turns: how long does a user wait?

    python benchmarks/commands.py OTHER_PYTHON [--rounds 5] [--only help info] [--other-sweep OLD/examples/bits.toml]

OTHER_PYTHON is the interpreter of an environment with the other version. A round runs each command once in each version, the
first of them in turn. Times are medians in seconds of processor time, all processes of a command together, so that other work
on the machine disturbs them little. `help` and `info` also stand beside the imports without which they cannot be.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from sim.bench.processes import run

SWEEP = Path(__file__).parents[1] / "examples" / "bits.toml"
ANNA = ("-P", "-m", "sim.cli")
# Arguments of the interpreter. PROGRAM is a program that each version has compiled itself, SWEEP its sweep, FOLDER a new
# folder.
CASES = {
    "help": (*ANNA, "--help"),
    "info": (*ANNA, "info", "PROGRAM"),
    "compile": (*ANNA, "compile", "lenet5", "-o", "FOLDER/lenet5.anna"),
    "compare": (*ANNA, "compare", "-o", "FOLDER/report.html"),
    "compare, wide": (*ANNA, "compare", "-o", "FOLDER/report.html"),
    "sweep": (*ANNA, "sweep", "SWEEP", "-o", "FOLDER/bits"),
}
# What makes this version do the work of version 0.1, whose every chip was wide and which drew eight of them.
THIS_ONLY = {"compare, wide": ("--machine", "wide", "--chips", "8")}
# A pydantic model is defined because half of pydantic is loaded only then; every record of a program is one.
FLOORS = {
    "help": "import argparse",
    "info": "import numpy, safetensors.numpy, pydantic\nclass Model(pydantic.BaseModel):\n    size: int = 1",
}


def seconds(python: str, arguments: tuple[str, ...], files: dict[str, Path]) -> float:
    """Processor time of one command, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        words = [str(files[word]) if word in files else word.replace("FOLDER", folder) for word in arguments]
        return run([python, *words], folder).processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", metavar="OTHER_PYTHON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), metavar="CASE")
    parser.add_argument("--other-sweep", type=Path, default=SWEEP, metavar="FILE.toml", help="where its form is another one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        versions = {"this": sys.executable, "other": given.python}
        files = {"this": {"SWEEP": SWEEP}, "other": {"SWEEP": given.other_sweep.absolute()}}
        for name, python in versions.items():
            files[name]["PROGRAM"] = program = Path(home) / f"{name}.anna"
            subprocess.run([python, *ANNA, "compile", "recognizer", "-o", program], cwd=home, capture_output=True, check=True)
        print(f"{'command':13} {'this s':>8} {'other s':>8} {'ratio':>6}   over its imports")
        for case in given.only:
            times: dict[str, list[float]] = {name: [] for name in (*versions, "floor")}
            for turn in range(given.rounds):
                for name in versions if turn % 2 == 0 else reversed(versions):
                    own = THIS_ONLY.get(case, ()) if name == "this" else ()
                    times[name].append(seconds(versions[name], (*CASES[case], *own), files[name]))
                if case in FLOORS:
                    times["floor"].append(seconds(sys.executable, ("-P", "-c", FLOORS[case]), files["this"]))
            this, other = statistics.median(times["this"]), statistics.median(times["other"])
            floor = f"{this / statistics.median(times['floor']):16.2f}" if case in FLOORS else ""
            print(f"{case:13} {this:8.3f} {other:8.3f} {this / other:6.2f}   {floor}", flush=True)


if __name__ == "__main__":
    main()
