"""The slant of text: the blocks lean as they say, the fit finds it, and chips do what floats do."""

import json
from dataclasses import replace

import numpy as np
import pytest

import anna
from anna.base.errors import SpecError
from anna.chip.machines import MACHINES
from lenet.networks.applications import KERNEL_SIZE, KERNELS, line
from sim.applications import slant as application
from sim.applications import slant_fit
from sim.applications.application import Conditions
from sim.applications.lettering import OFTEN, Style, blocks, glyph, pages
from sim.applications.slant_fit import DIRECTIONS, TEXT, Fit, convolver, energies

SMALL = replace(TEXT, rows=64, columns=128)


# --- blocks of text --------------------------------------------------------------------------------------------------
def test_a_block_is_the_same_however_many_there_are() -> None:
    few, many = blocks(SMALL, 2, 5), blocks(SMALL, 4, 5)
    np.testing.assert_array_equal(few.images, many.images[:2])
    assert few.slants.tolist() == many.slants[:2].tolist()
    assert (many.images[0] != blocks(SMALL, 1, 6).images[0]).any()
    assert np.abs(blocks(SMALL, 60, 5).slants).max() <= TEXT.steepest


def test_every_letter_stands_between_its_lines() -> None:
    for name in OFTEN:
        points = np.concatenate(glyph(name))
        assert points[:, 0].min() > -0.2 and points[:, 0].max() < 1.3, name
        assert points[:, 1].min() >= -0.7 and points[:, 1].max() <= 1.7, name


def test_upright_strokes_lean_as_much_as_the_block_says() -> None:
    """Sheared back by its slant, a page's columns are the most uneven: strokes stand upright."""
    style = Style(rows=64, columns=256, x_height=(12, 12), pen=(0.15, 0.15), steepest=30)
    black, slants = pages(style, 6, 7), blocks(style, 6, 7).slants
    tried = np.arange(-40, 41)
    found = []
    for page in black:
        rows, columns = np.nonzero(page)
        uneven = [np.histogram(columns + np.tan(np.radians(t)) * rows, bins=np.arange(-80, 340))[0].var() for t in tried]
        found.append(tried[int(np.argmax(uneven))])
    assert np.abs(np.array(found) - slants).mean() < 3


# --- the convolver and the fit ---------------------------------------------------------------------------------------
def test_each_kernel_answers_most_to_its_own_direction() -> None:
    layer = convolver(SMALL).layers[1]
    kernels = layer.weights_oiyx[:, 0]
    assert kernels.shape == (KERNELS, KERNEL_SIZE, KERNEL_SIZE)
    at = np.arange(KERNEL_SIZE) - (KERNEL_SIZE - 1) / 2
    y, x = np.meshgrid(at, at, indexing="ij")
    for k, slant in enumerate(DIRECTIONS):
        stroke = np.where(np.abs(x + np.tan(np.radians(slant)) * y) < 1 / np.cos(np.radians(slant)), 1.0, -1.0)
        assert int(np.argmax((kernels * stroke).sum(axis=(1, 2)))) == k


def test_the_kernels_of_the_published_convolver_are_as_before() -> None:
    kernel = line(0.0)
    assert kernel.dtype == np.float32 and kernel.sum() == pytest.approx(0, abs=1e-5)
    assert kernel[kernel > 0].sum() == pytest.approx(4)
    np.testing.assert_allclose(kernel, kernel[::-1], atol=1e-6)


def test_energies_are_shares_and_do_not_depend_on_contrast() -> None:
    maps = np.random.default_rng(0).normal(size=(3, KERNELS, 4, 5))
    np.testing.assert_allclose(energies(maps).sum(axis=1), 1)
    np.testing.assert_allclose(energies(2 * maps), energies(maps))
    np.testing.assert_allclose(energies(np.minimum(maps, 0) + np.eye(KERNELS)[:3, :, None, None]), np.eye(KERNELS)[:3])


def test_a_fit_finds_a_linear_function() -> None:
    shares = np.random.default_rng(1).dirichlet(np.ones(KERNELS), 400)
    slants = shares @ DIRECTIONS
    fit = Fit.of(shares[:300], slants[:300])
    assert np.abs(fit.slants(shares[300:]) - slants[300:]).max() < 0.5


# --- together --------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def found() -> application.Slant:
    """Few and small blocks; what is measured on 200 large ones stands in docs/applications.md."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(application, "TEXT", SMALL)
        patch.setattr(application, "BLOCKS_FITTED", 120)
        return application.slant(30, chips=2, threads=1)


def test_chips_find_the_slant_as_floats_do(found: application.Slant) -> None:
    arms = {arm.name: arm for arm in found.arms}
    fits = [f"typical chips, {whose} fit" for whose in ("ideal chip's", "other chips'", "own")]
    assert [*arms] == ["float", "ideal chip", *fits]
    assert all(arms[name].within.share >= 0.7 for name in ("float", "ideal chip", fits[-1]))
    assert max(arm.rms for arm in found.arms) < 4
    assert max(arms[fits[1]].rms, arms[fits[2]].rms) < arms[fits[0]].rms
    assert arms["float"].lost is None and arms["ideal chip"].lost is not None


def test_the_time_is_inside_the_published_range(found: application.Slant) -> None:
    told = found.to_json()
    assert told["machine"] == "board-1991"
    assert 30e6 <= told["connections_per_s"] <= 400e6
    positions = found.report["chip_multiply_adds"] / KERNELS / KERNEL_SIZE**2
    assert positions == (64 - 16 + 4) // 4 * ((128 - 16 + 2) // 2)
    assert told["board_us_per_image"] == told["chip_us_per_image"] + told["host_us_per_image"]


def test_what_is_told_is_complete(found: application.Slant) -> None:
    told = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert told["blocks"] == len(told["slants"]) == len(told["found"]["float"][0]) == 30
    assert len(told["found"]["typical chips, own fit"]) == 2
    assert f"{len(found.arms[0].slants_n)} blocks of text, 64 x 128 pixels" in found.table()
    assert "M connections/s, of the host" in found.table()
    assert len(found.plot().axes) == 7


def test_applications_are_for_the_published_chip() -> None:
    with pytest.raises(SpecError, match="machine wide: its chip is wide; applications run on the published chip"):
        Conditions(machine="wide")
    assert Conditions(machine=MACHINES["board-1996"]).on.chips == 2


def test_an_arm_of_ideal_chips_is_there_once() -> None:
    (ideal, chips), *drawn = Conditions(chips=3, analog=["ideal", "typical", "worst"], chip_seed=5).arms()
    assert (ideal, len(chips)) == ("ideal chip", 1)
    assert [(name, [chip.seed for chip in some]) for name, some in drawn] == [
        ("typical chips", [5, 6, 7]),
        ("worst chips", [5, 6, 7]),
    ]
    assert isinstance(chips[0], anna.Chip)


def test_the_words_of_the_convolver_are_assumed_in_one_place() -> None:
    assert convolver(SMALL).input_shape == (1, 64, 128)
    assert slant_fit.convolver().input_shape == (1, TEXT.rows, TEXT.columns)
