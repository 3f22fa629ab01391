"""The shipped weights: their records are true, and none has seen a built-in digit."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lenet
from anna.base.errors import DataError
from anna.network.graph import Ensemble
from lenet.datasets import digits
from lenet.datasets.labelled import image_hashes
from lenet.networks import catalogue
from lenet.training.records import chip_result, result, wilson_percent

SHIPPED = catalogue.shipped()
LARGEST_MEGABYTES = 12
# SHA-256 (shape, images, labels) of MNIST training without the 5,000 built-in digits, and of USPS training
TRAINING_SETS = {
    "mnist": "63645393de2251ec092b0bba470919813d0f568670f4d70eb98f06c14da3bfad",
    "usps": "6428a11c06375441c74d0f3ba77aa4f0ab5007b785595ea0b257bed66ffc8f45",
}


def network_and_record(stem):
    record = json.loads((catalogue.WEIGHTS / f"{stem}.json").read_text())
    return lenet.load(record["network"], record["data"], record["seed"], variant_of(stem)), record


def variant_of(stem):
    return re.sub(r"^.*-seed\d+-?", "", stem)


def test_every_network_is_shipped_and_the_chip_nets_for_both_data_sets():
    for name in lenet.names:
        assert any(stem.startswith(f"{name}-") for stem in SHIPPED)
    wanted = {f"{name}-{data}-seed1" for name in ("recognizer", "lenet1") for data in ("mnist", "usps")}
    wanted |= {f"recognizer-usps-seed{seed}{variant}" for seed in range(1, 6) for variant in ("", "-chip")}
    wanted |= {"lenet5-mnist-seed1-distorted", "lenet5-mnist-seed1-distorted-chip", "boosted_lenet4-mnist-seed1-chip"}
    assert wanted <= set(SHIPPED)


def test_the_weights_are_not_large():
    size = sum(path.stat().st_size for path in catalogue.WEIGHTS.iterdir())
    assert size < LARGEST_MEGABYTES * 1e6


@pytest.mark.parametrize("stem", SHIPPED)
def test_a_network_is_what_its_record_says(stem):
    network, record = network_and_record(stem)
    assert network.digest == record["weights_digest"]
    assert network.data == record["data"]
    untrained = catalogue.define(record["network"], record["data"])
    assert str(network) == str(untrained), "the definition has changed since it was trained"
    assert catalogue.stem(record["network"], record["data"], record["seed"]) in stem
    assert lenet.record(record["network"], record["data"], record["seed"], variant_of(stem)) == record


@pytest.mark.parametrize("stem", SHIPPED)
def test_a_stem_names_its_weights(stem):
    network, record = network_and_record(stem)
    assert lenet.load(stem).digest == network.digest and lenet.record(stem) == record
    assert lenet.load(stem, record["data"], record["seed"], variant_of(stem)).digest == network.digest
    assert variant_of(stem) in ("", *catalogue.VARIANTS)


@pytest.mark.parametrize("other", [{"data": "usps"}, {"weights_seed": 2}, {"variant": "chip"}])
def test_what_contradicts_a_stem_is_refused(other):
    with pytest.raises(DataError, match="lenet5-mnist-seed1-distorted: says its data set, seed and variant itself"):
        lenet.load("lenet5-mnist-seed1-distorted", **other)


@pytest.mark.parametrize("stem", ["lenet1-usps-seed2", "zip1989-usps-seed2", "lenet1-usps-seed1-chip"])
def test_the_stem_of_weights_that_do_not_ship_is_refused_with_those_that_do(stem):
    with pytest.raises(DataError, match=f"no trained weights {stem} ship with anna; .* lenet1-mnist-seed1, lenet1-usps-seed1$"):
        lenet.load(stem)


@pytest.mark.parametrize("stem", SHIPPED)
def test_no_weights_have_seen_a_built_in_digit(stem):
    """The record names the hash of the digits shown; that set, rebuilt in the next test, holds none of the 5,000."""
    _, record = network_and_record(stem)
    assert record["training_digits"]["sha256"] == TRAINING_SETS[record["data"]]
    assert record["validation_digits"] is None


@pytest.mark.data
@pytest.mark.parametrize("data", TRAINING_SETS)
def test_the_training_sets_hold_no_built_in_digit(data):
    shown = digits.training_digits(data, os.environ["ANNA_DATA"])
    assert shown.digest == TRAINING_SETS[data]
    assert not set(image_hashes(shown.images)) & set(image_hashes(digits.built_in().images))


@pytest.mark.parametrize("stem", [stem for stem in SHIPPED if "-mnist-" in stem])
def test_the_results_on_the_built_in_digits_are_those_recorded(stem):
    """The forward has the same bits everywhere, so to the digit."""
    network, record = network_and_record(stem)
    (recorded,) = [one for one in record["results"] if one["digits"] == "holdout"]
    assert result(network, digits.holdout()) == recorded


def expect_no_worse_on_typical_chips(stem, name, images):
    """The record counts what the compiler of its day made; another may make other programs, but none that turn it round."""
    network, record = network_and_record(stem)
    about = record["for_chip"]
    start, before = network_and_record(about["start"])
    assert start.digest == about["start_digest"] == before["weights_digest"]
    assert str(start) == str(network) and before["training_digits"] == record["training_digits"]
    (recorded,) = [one for one in about["on_chip"] if one["digits"] == name]
    found = chip_result(start, network, images)
    for one in (recorded, found):
        assert sum(one["trained"]["typical_wrong"]) < 1.1 * sum(one["ordinary"]["typical_wrong"])
    assert {key: found[key] for key in ("digits", "digits_sha256", "images")} == {
        key: recorded[key] for key in ("digits", "digits_sha256", "images")
    }


FOR_CHIP = [stem for stem in SHIPPED if stem.endswith("-chip")]


@pytest.mark.long
@pytest.mark.parametrize("stem", [stem for stem in FOR_CHIP if "-mnist-" in stem])
def test_weights_for_the_chip_continue_from_shipped_ones_and_are_no_worse_on_typical_chips(stem):
    expect_no_worse_on_typical_chips(stem, "holdout", digits.holdout())


@pytest.mark.long
@pytest.mark.data
@pytest.mark.parametrize("stem", [stem for stem in FOR_CHIP if "-usps-" in stem])
def test_those_for_usps_are_no_worse_on_its_test_digits(stem):
    expect_no_worse_on_typical_chips(stem, "usps test", digits.digits("usps", "test", Path(os.environ["ANNA_DATA"])))


@pytest.mark.data
def test_results_on_the_test_digits_are_those_recorded():
    folder = Path(os.environ["ANNA_DATA"])
    for stem in ("recognizer-usps-seed1", "linear-mnist-seed1"):
        network, record = network_and_record(stem)
        assert result(network, digits.digits(record["data"], "test", folder)) == record["results"][0]


def test_the_boosted_network_is_an_ensemble():
    boosted = lenet.load("boosted_lenet4")
    assert isinstance(boosted, Ensemble)
    assert [member.name for member in boosted.members] == ["lenet4_first", "lenet4_second", "lenet4_third"]


def test_loading_needs_no_torch_and_importing_is_light():
    script = (
        "import sys; sys.modules['torch'] = None; import lenet; light = 'numpy' not in sys.modules; "
        "net = lenet.load('zip1989'); print(light, net.connections)"
    )
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    answer = subprocess.run([sys.executable, "-P", "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert answer.stdout == "True 64660\n"


def test_training_without_torch_says_so(tmp_path):
    script = "import sys; sys.modules['torch'] = None; from sim.cli.main import main; sys.exit(main(['train', 'linear']))"
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    answer = subprocess.run([sys.executable, "-P", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert answer.stderr == "anna: training needs PyTorch, which is not installed: pip install 'anna-chip[train]'\n"


@pytest.mark.parametrize(
    ("wrong", "total", "low", "high"),
    [(0, 100, 0.0, 3.699), (5, 100, 2.154, 11.175), (100, 100, 96.301, 100.0), (95, 10_000, 0.778, 1.160)],
)
def test_wilsons_interval(wrong, total, low, high):
    assert wilson_percent(wrong, total) == pytest.approx((low, high), abs=2e-3)


def test_weights_are_float32():
    for stem in SHIPPED:
        for member in network_and_record(stem)[0].members:
            assert {a.dtype for step in member for a in step.layer.tensors.values()} <= {np.dtype(np.float32)}


def test_the_seed_of_weights_also_works_under_its_old_name():
    with pytest.warns(DeprecationWarning, match="seed is now weights_seed"):
        old = lenet.load("recognizer", data="usps", seed=2)
    assert old.digest == lenet.load("recognizer", data="usps", weights_seed=2).digest
    with pytest.warns(DeprecationWarning, match="seed is now weights_seed"):
        assert lenet.record("recognizer", "usps", seed=2) == lenet.record("recognizer", "usps", 2)
