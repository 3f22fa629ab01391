"""The examples that `anna COMMAND --help` shows, and the commands of the README, do what they show: each in a shell, as they
are written, in a folder with the files that they name."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from command_line import ROOT
from made_once import made_once
from reader import own_files, typed
from small_digits import small_digits
from sweep_cases import TOML

import anna
import lenet
from anna import importers
from sim.cli.main import COMMANDS, _command
from sim.sweep.run import run_sweep
from sim.sweep.spec import load_spec

# Examples that take minutes, run with --long only. Others hold what they print on fewer digits or chips, or against a page.
LONG = {
    "anna application slant -o slant.svg",
    "anna application zip -o zip.svg",
    "anna compare lenet5 --chips 16 --analog typical --analog worst",
    "anna compile mine.onnx --calibration digits.npz --precision auto --within 2 -o mine.anna",
    "anna diagnose lenet5 --chip-seed 104",
    "anna published",
    "anna published --assumptions -o assumptions.md",
    "anna published --history",
    "anna published --machine board-1991 --json",
    "anna published --table-1 -o table-1.md",
    "anna published --table-1998 linear tangent",
    "anna sweep examples/bits.toml -o bits && anna report bits",
    "anna yield lenet5 --limit 1.5 -o wafer",
}
# Examples that are not run here, and why.
NETWORK, TIMES = "reaches another machine", "measures this machine for a while; see test_bench.py"
TRAINS = "needs MNIST or USPS, and trains for minutes; see test_training.py"
NOT_RUN = {
    "anna compare --json": "what anna compare prints otherwise; it takes a dozen seconds",
    "anna sweep bits.toml -o bits --cluster tcp://head:8786": NETWORK,
    "anna data fetch mnist --folder digits": NETWORK,
    "anna train recognizer --data usps --train-seed 4 -o weights": TRAINS,
    "anna train lenet4 --for-chip -o weights": TRAINS,
    "anna bench": TIMES,
    "anna bench --quick --json": TIMES,
    "anna bench --network lenet5 --simd avx2 --thread-counts 1": TIMES,
    "anna bench --measure own --own networks": TIMES,
    "anna bench --measure runs --crosssim cross-sim": TIMES,
}
EXAMPLES = [line for name in COMMANDS for line in _command(name).examples]
README = [
    command.split("  #")[0].strip()
    for command in re.findall(r"^    (anna .*)$|`(anna [^`\\]+)`", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    for command in command if command
]  # fmt: skip
ALL = list(dict.fromkeys([*EXAMPLES, *README]))


QUICKLY = {"fit": False, "round": "nearest", "range_method": "max"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder such as a user of anna has."""
    return made_once(tmp_path_factory, "examples", _fill)


def _fill(folder: Path) -> None:
    shutil.copytree(ROOT / "examples", folder / "examples")
    for name in ("edges.asm", "joules.toml"):
        shutil.copy(ROOT / "examples" / name, folder)
    own_files(folder)
    np.save(folder / "codes.npy", np.zeros((4, 8, 8), np.uint8))
    (folder / "bits.toml").write_text(TOML, encoding="utf-8")
    (folder / "digits").mkdir()
    anna.assemble((folder / "edges.asm").read_text(encoding="utf-8"), "edges").save(folder / "edges.anna")
    anna.compile(importers.load_network(folder / "mine.onnx"), small_digits(40)[0], **QUICKLY).save(folder / "mine.anna")
    for name in ("recognizer", "lenet5"):
        anna.compile(lenet.load(name), lenet.calibration()[0][:40], **QUICKLY).save(folder / f"{name}.anna")
    exported = anna.compilation(lenet.load("recognizer"), lenet.calibration()[0][:40], **QUICKLY)
    anna.export(exported, folder / "recognizer-export", lenet.holdout()[0][:2])
    shutil.copy(folder / "recognizer-export" / "answers.npz", folder / "answers.npz")
    sweep = load_spec(folder / "bits.toml")
    run_sweep(sweep, folder / "bits", workers=1)
    for part in (1, 2, 3):
        run_sweep(sweep, folder / f"part{part}", workers=1, shard=(part, 8))


def test_what_is_not_run_is_an_example() -> None:
    assert {*NOT_RUN, *LONG} <= set(ALL)


@pytest.mark.timeout(900)  # the longest, table 1, took 226 s on two busy cores of Zen 3
@pytest.mark.parametrize("line", [pytest.param(line, marks=[pytest.mark.long] * (line in LONG)) for line in ALL
                                  if line not in NOT_RUN])  # fmt: skip
def test_an_example_does_what_it_shows(line: str, home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    shutil.copytree(home, folder)
    if " merge " in line:
        shutil.rmtree(folder / "bits")
    assert typed(line, folder) == (0, [])
