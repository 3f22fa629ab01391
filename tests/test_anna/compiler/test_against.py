"""Compiled against drawn chips: ranges, fits and roundings that suit noise, every time the same, better on chips not seen."""

from functools import cache

import numpy as np
import pytest
from random_graphs import some_images

import anna
import lenet
from anna.analog.parameters import PRESETS, Analog
from anna.base.errors import SpecError
from anna.compiler.drawn import Drawn
from anna.network.graph import RELU, FullConnection, Graph
from anna.program.file import Program

SEEDS = range(40, 46)  # of chips that no choice was made on


@cache
def program(against: str | None) -> Program:
    return anna.compile(lenet.load("recognizer"), lenet.calibration()[0], against=against, check_count=1)


def small() -> tuple[Graph, np.ndarray]:
    rng = np.random.default_rng(5)
    hidden = FullConnection("hidden", rng.normal(0, 0.4, (20, 16)).astype(np.float32), None, activation=RELU)
    graph = Graph("small", (1, 4, 4), (hidden, FullConnection("out", rng.normal(0, 0.5, (4, 20)).astype(np.float32))))
    return graph, some_images(graph, 300)


def test_nothing_said_is_the_ideal_chip() -> None:
    graph, images = small()
    assert anna.compile(graph, images).to_bytes() == anna.compile(graph, images, against="ideal").to_bytes()


@pytest.mark.parametrize("name", ["typical", "worst", "typical-all-wire"])
def test_chips_without_strengths_are_the_ideal_chip(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the byte, but for the option's name in the report."""
    graph, images = small()
    plain = anna.compile(graph, images)
    column, _ = PRESETS[name]
    off = {field: Analog.preset("ideal").model_dump()[field] for field in Analog.model_fields}
    monkeypatch.setitem(PRESETS, name, (column, off))
    assert Drawn.of(plain.spec, name) is None
    mine = anna.compile(graph, images, against=name)
    for part in ("words", "weight_codes", "scale_codes", "constant_codes", "constant_addresses"):
        assert getattr(mine, part).tobytes() == getattr(plain, part).tobytes()
    before, after = mine.host.tails[0].readings[0], plain.host.tails[0].readings[0]
    assert (before.gain_m.tobytes(), before.offset_m.tobytes()) == (after.gain_m.tobytes(), after.offset_m.tobytes())


def test_the_same_choices_every_time() -> None:
    graph, images = small()
    first, second = (anna.compile(graph, images, against="typical") for _ in range(2))
    assert first.to_bytes() == second.to_bytes()
    assert first.digest != anna.compile(graph, images).digest
    assert first.report["options"]["against"] == "typical"


def test_engine_and_interpreter_agree_on_it() -> None:
    graph, images = small()
    mine, chip = anna.compile(graph, images, against="worst"), anna.Chip(seed=3, analog="worst")
    engine, interpreter = (chip.run(mine, images[:3], engine=name) for name in ("engine", "interpreter"))
    np.testing.assert_array_equal(engine.scores, interpreter.scores)


def test_chips_that_nobody_looked_at_err_less() -> None:
    """The recogniser on worst chips: nearer to the float network by at least a tenth of what is lost, and no more misread."""
    images, labels = lenet.holdout()
    images, labels = images[::3], labels[::3]
    right, lost, wrong = anna.forward(lenet.load("recognizer"), images).scores, [], []
    for one in (program(None), program("worst")):
        results = list(anna.run_chips([anna.Chip(seed=seed, analog="worst") for seed in SEEDS], one, images, noise_seed=1))
        lost.append(sum(float(np.square(result.scores - right).mean()) for result in results))
        wrong.append(sum(int((result.labels != labels).sum()) for result in results))
    assert lost[1] < 0.9 * lost[0]
    assert wrong[1] < wrong[0]


def test_noise_follows_its_law() -> None:
    spec, levels = anna.ANNA_1991, np.ones((2, 64), np.int64)
    levels[1, 16:] = 0
    wire = Drawn(spec, Analog(wire_noise_products=8.5))
    assert wire.sigma(levels, np.array([10, 10])).tolist() == pytest.approx([2 * 8.5, 2 * 8.5 / 2])
    converter = Drawn(spec, Analog(adc_noise_lsb=0.18))
    narrow, wide = converter.sigma(levels, np.array([8, 10])).tolist()
    assert wide == pytest.approx(2 * narrow, rel=0.01), "two codes further, twice the range"
    added = wire.added(np.array([3.0]), 50_000, np.float64)
    assert (added.mean(), added.std()) == (pytest.approx(0.0, abs=0.05), pytest.approx(3.0, rel=0.02))


def test_chips_that_are_no_preset_are_refused() -> None:
    graph, images = small()
    with pytest.raises(SpecError, match="there is no preset 'bad'"):
        anna.compile(graph, images, against="bad")
