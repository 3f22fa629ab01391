"""The commands that pages show do what they show: those of a page in turn, as they are written, typed by a reader who has
nothing but files of their own."""

import re
from pathlib import Path

import pytest
from pages import PAGES
from reader import own_files, typed

# Commands that are run with --long only: they take a while, or test_examples.py runs them, too.
LONG = {
    "anna application",
    "anna application cellular --analog typical --analog worst --machine board-1996",
    "anna application slant -o slant.svg",
    "anna application zip -o zip.svg",
    "anna check recognizer-export recognizer-export/answers.npz",
    "anna compare",
    "anna compare lenet5 --chips 16 --analog typical --analog worst",
    "anna compare lenet5 --chips 96 --limit 1.5",
    "anna compare mine.onnx --calibration digits.npz",
    "anna compare mine.onnx --calibration digits.npz --chip-trained mine-chip.safetensors",
    "anna compare recognizer --chip weight_bits=5 --chip state_bits=4",
    "anna compare recognizer --quantised",
    "anna compare --json",
    "anna compile lenet5 -o lenet5.anna",
    "anna compile lenet5-mnist-seed1-distorted-chip --round nearest",
    "anna compile mine.onnx --calibration digits.npz --precision auto --within 2 -o mine.anna",
    "anna compile recognizer --digits input=2,others=2 -o two.anna",
    "anna compile recognizer && anna trace recognizer.anna holdout",
    "anna compile recognizer --machine board-1991",
    "anna diagnose lenet5 --chip-seed 485",
    "anna energy lenet5.anna",
    "anna examples -o examples && anna energy lenet5.anna --joules examples/joules.toml",
    "anna export recognizer --count 2 --rtl recognizer-rtl",
    "anna export recognizer -o recognizer-export",
    "anna published",
    "anna run lenet5.anna --images holdout --chip-seed 7",
    "anna sensitivity lenet5 -o layers.svg",
    "anna sensitivity mine.onnx --calibration digits.npz --fewer 1",
    "anna report bits",
    "anna sweep examples/bits.toml -o bits",
    "anna sweep examples/bits.toml -o bits && anna report bits",
    "anna sweep examples/bits.toml -o bits --workers 4",
    "anna sweep examples/bits.toml -o bits --cluster local:4",
    "anna sweep front bits --over error,size",
    "anna sweep examples/front.toml -o front",
    "anna sweep front front --over error,size,time --each scaled.noise",
    "anna sweep front front --over error,energy --joules examples/joules.toml",
    "anna trace lenet5.anna holdout",
    "anna watch lenet5 holdout --image 3 -o lenet5.html",
    "anna yield lenet5 --limit 1.5 -o wafer",
    "anna yield lenet5-mnist-seed1-distorted-chip --round nearest --limit 1.5 -o wafer",
    "anna yield recognizer --chips 200 --fault dead_synapse_rate=0.001 --fault dead_neuron_rate=0.01 -o broken",
    "mkdir -p ~/.config/fish/completions && anna completion fish > ~/.config/fish/completions/anna.fish",
    "mkdir -p ~/.zfunc && anna completion zsh > ~/.zfunc/_anna",
    "python -m anna.lab.curves --chip-seed 7 --analog typical -o chip7",
    "source <(anna completion bash)",
}
# Commands that are not run here, and why.
NETWORK, DATA = "reaches another machine", "needs the data folder; see test_data.py"
TRAINS, TIMES = "trains for minutes; see test_training.py", "measures this machine for a while; see test_bench.py"
WRITES, QUEUE = "writes its page in a clone; see tests/test_sim/published", "of a batch queue; the tutorial does it in small"
NOT_RUN = {
    "anna bench": TIMES,
    "anna bench [--quick] [--measure WHAT] [--network NET] [--own FILE|FOLDER] [--crosssim FOLDER] [--simd avx2]": TIMES,
    "anna bench --measure own --own mlperf-tiny": TIMES,
    "anna compare recognizer --data mnist --count 2000 --ledger full": DATA,
    "anna data verify --folder digits": DATA,
    "anna data fetch mnist --folder digits": NETWORK,
    "anna published --assumptions --network lenet5 -o docs/assumptions-lenet5.md": WRITES,
    "anna published --assumptions -o docs/assumptions.md": WRITES,
    "anna published --history -o docs/history.md": WRITES,
    "anna published --table-1 -o docs/table-1.md": WRITES,
    "anna published --table-1998 -o docs/table-1998.md": WRITES,
    "anna sweep bits.toml -o bits --cluster tcp://head:8786": NETWORK,
    "anna sweep examples/bits.toml -o bits --cluster tcp://head:8786": NETWORK,
    "anna sweep merge part1 part2 part3 part4 part5 part6 part7 part8 -o bits": QUEUE,
    "anna sweep run examples/bits.toml -o part3 --shard 3/8": QUEUE,
    'anna sweep run bits.toml -o "part$SLURM_ARRAY_TASK_ID" --shard "$SLURM_ARRAY_TASK_ID/100" --workers 1': QUEUE,
    "anna train recognizer --data mnist --train-seed 1 --for-chip -o weights": TRAINS,
    "anna train recognizer --data usps --train-seed 1 -o weights": TRAINS,
}

FENCED = re.compile(r"^```.*?^```$", re.M | re.S)
SHOWN = re.compile(r"^    ((?:anna|python -[cm]|mkdir|source) .*?)(?: +# .*)?$", re.M)
COMMANDS = {page: SHOWN.findall(FENCED.sub("", page.read_text(encoding="utf-8"))) for page in PAGES}
RUN = {page: [line for line in lines if line not in NOT_RUN] for page, lines in COMMANDS.items()}


def test_what_is_not_run_is_shown() -> None:
    assert {*NOT_RUN, *LONG} <= {line for lines in COMMANDS.values() for line in lines}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("page", "long"),
    [
        pytest.param(page, long, marks=[pytest.mark.long] * long, id=f"{page.stem}{'-long' * long}")
        for page, lines in RUN.items()
        for long in (False, True)
        if (LONG.intersection(lines) if long else set(lines) - LONG)
    ],
)
def test_the_commands_of_a_page_run_in_turn(page: Path, long: bool, tmp_path: Path) -> None:
    own_files(tmp_path)
    for line in RUN[page]:
        if long or line not in LONG:
            assert (line, *typed(line, tmp_path)) == (line, 0, [])
