"""The ZIP reader, on few strings: what it says is what it read, and sliding reads more than cutting where digits overlap."""

import json
from pathlib import Path

import numpy as np
import pytest

import lenet
import sim
from anna.base.errors import DataError, MachineError
from sim.applications.zip_arm import ZipArm, tight
from sim.applications.zip_plot import chosen
from sim.report.figure import svg_file

ROOT, COUNT = Path(__file__).parents[3], 60


@pytest.fixture(scope="module")
def found():
    return sim.read_zip(COUNT, chips=2)


def arm(found, name):
    return next(one for one in found.arms if one.name == name)


def test_every_arm_reads_every_string(found):
    names = [one.name for one in found.arms]
    assert names[:3] == ["float", "ideal chip", "typical chips"] and names[-2:] == [
        "cut, ordinary weights",
        "cut, weights that reject",
    ]
    for one in found.arms:
        assert one.read_cnk.shape == (one.chips, COUNT, 5)
    assert arm(found, "typical chips").chips == 2


def test_sliding_reads_most_digits_and_more_strings_than_cutting_where_digits_overlap(found):
    overlapping = tight(found.strings)["overlapping"]
    for name in ("float", "ideal chip", "typical chips"):
        assert arm(found, name).digits_read().share > 0.8
        assert (
            arm(found, name).strings_read(overlapping).share
            > arm(found, "cut, weights that reject").strings_read(overlapping).share
        )


def test_scores_that_were_not_trained_to_reject_read_far_fewer(found):
    assert arm(found, "float, never trained to reject").strings_read().share < arm(found, "float").strings_read().share - 0.2


def test_the_path_lies_near_the_middles_of_the_digits(found):
    floats = arm(found, "float")
    off = np.abs(16 + 4 * floats.columns_nk - found.strings.centres_nk2[:, :, 1])
    assert np.mean(off <= 4) > 0.9


@pytest.mark.slow
def test_fewer_strings_are_read_as_the_first_of_more_whatever_the_threads(found):
    few = sim.read_zip(12, chips=2, threads=1)
    for one, more in zip(few.arms, found.arms, strict=True):
        assert one.name == more.name and np.array_equal(one.read_cnk, more.read_cnk[:, :12])


def test_the_tables_and_the_json_say_the_same(found):
    told = json.loads(json.dumps(found.to_json()))
    assert told["application"] == "zip" and told["strings"] == COUNT and told["digits"] == 5
    for one, line in zip(told["arms"], found.table().splitlines()[3:], strict=False):
        assert line.startswith(one["arm"])
        assert f"{100 * one['strings_read']['share']:.1f} %" in line
        read = np.array(told["read"][one["arm"]])
        assert np.mean((read == told["labels"]).all(axis=2)) == pytest.approx(one["strings_read"]["share"])
        kinds = one["by_tightness"]
        assert sum(kind["strings"] for kind in kinds.values()) == COUNT


def test_the_times_of_a_zip_code_are_those_of_two_machines(found):
    board, sequencer = found.times
    assert (board.machine.name, sequencer.machine.name) == ("board-1991", "sequencer")
    assert 10_000 < board.chip_us < 40_000 and 2_000 < sequencer.chip_us < 10_000
    assert board.host_us == sequencer.host_us > 44_000, "the last layer's 558,000 multiply-adds at 12.5 M/s take 44.6 ms"


def test_the_figure_is_drawn_and_has_the_same_bytes_again(found):
    assert svg_file(found.plot()) == svg_file(found.plot())


def test_the_string_drawn_is_one_that_cutting_misreads(found):
    floats, chips = arm(found, "float"), arm(found, "typical chips")
    one = chosen(found.strings, floats, chips)
    assert not floats.misread_cn[0, one] and not chips.misread_cn[0, one] and floats.cut.misread_cn[0, one]


def test_what_an_arm_loses_and_gains_is_paired(found):
    """Of four strings floats misread one, chips two others as well, cutting three."""
    strings = found.strings
    four = type(strings)("four", strings.images_nyx[:4], strings.labels_nk[:4], strings.centres_nk2[:4], strings.gaps_nk[:4],
                         strings.placed[:4])  # fmt: skip
    right = four.labels_nk.astype(np.int64)[None]

    def read(*misread):
        labels = right.copy()
        labels[0, list(misread), 0] += 1
        return labels

    cut = ZipArm("cut", read(1, 2, 3), four)
    floats = ZipArm("float", read(0), four, cut=cut)
    chip = ZipArm("chip", read(0, 1, 2), four, floats=floats, cut=cut)
    assert floats.lost is None and cut.gained is None
    assert chip.lost.share == pytest.approx(0.5) and floats.gained.share == pytest.approx(0.5) and chip.gained.share == 0
    assert chip.strings_read().share == pytest.approx(0.25) and chip.digits_read().share == pytest.approx(0.85)


def test_digits_that_the_weights_do_not_know_and_too_few_strings_are_refused():
    images, labels = lenet.holdout()
    with pytest.raises(DataError, match=r"the digits given: images of \(16, 16\) pixels; expected \(28, 28\)"):
        sim.read_zip(COUNT, digits=(images[:, :16, :16].copy(), labels))
    with pytest.raises(MachineError, match="count is 1; expected at least 2"):
        sim.read_zip(1)


@pytest.mark.long
def test_the_page_shows_what_the_command_prints():
    printed = "\n".join(f"    {line}".rstrip() for line in sim.read_zip().table().splitlines())
    assert printed in (ROOT / "docs" / "zip-reader.md").read_text(encoding="utf-8")
