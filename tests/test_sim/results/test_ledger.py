"""The ledger: its lines are what their causes and layers cost, its shares add up, and every cause is explained."""

import pytest

import anna
import lenet
from anna.analog.parameters import CAUSES, Analog
from sim.base.statistics import Interval
from sim.comparison.confined import Confined, places_of_layers
from sim.comparison.ledger_codes import CAUSES as CODES
from sim.comparison.ledger_codes import codes_ledger
from sim.comparison.ledger_table import ALL_CAUSES, MEANINGS, Entry, Losses, Pair
from sim.report.text import ledger_text
from sim.results.ledger import ledger


def test_the_ledger_adds_up_to_what_its_parts_say(made) -> None:
    _, program, digits = made
    analog = Analog.typical()
    lines = ledger(program, digits, chips=2, analog=analog, threads=2)
    causes = [entry for entry in lines.entries if entry.layer == "all"]
    assert {entry.cause for entry in causes} == set(analog.causes)
    assert {entry.layer for entry in lines.entries} - {"all"} == set(places_of_layers(program))
    by_hand = [anna.Chip(seed=seed, analog=analog.alone("droop")).run(program, digits.images).labels for seed in (0, 1)]
    wrong = sum(int((labels != digits.labels).sum()) for labels in by_hand) / (2 * len(digits))
    droop = next(entry for entry in causes if entry.cause == "droop")
    assert droop.alone_points == pytest.approx(100 * (wrong - lines.ideal_error))
    shares = [entry.share.moved.share for entry in causes if entry.share is not None]
    assert sum(shares) == pytest.approx(lines.full_error - lines.ideal_error) and shares == sorted(shares, reverse=True)


def test_what_a_cause_costs_alone_and_what_is_recovered_without_it_are_counted_by_hand(made) -> None:
    """With losses large enough to tell a sign."""
    _, program, digits = made
    some, both = digits.first(300), Analog.worst().alone("adc_offset", "adc_noise").scaled("adc_offset", 2.0)
    lines = ledger(program, some, chips=2, analog=("worse", both), threads=2)

    def points(analog: Analog) -> float:
        chips = [anna.Chip(seed=seed, analog=analog) for seed in (0, 1)]
        return 50 * sum(float((chip.run(program, some.images).labels != some.labels).mean()) for chip in chips)

    nothing, everything = points(Analog.ideal()), points(both)
    for entry in lines.entries[:2]:
        alone, without = points(both.alone(entry.cause)), points(both.without(entry.cause))
        assert entry.alone_points == pytest.approx(alone - nothing)
        assert entry.without_points == pytest.approx(everything - without)
    offset = next(entry for entry in lines.entries if entry.cause == "adc_offset")
    assert offset.alone_points > 0.5 and offset.without_points is not None and offset.without_points > 0.5


def test_a_layer_left_out_is_ideal_and_the_rest_is_real(made) -> None:
    """With every layer left out in turn, a cause that acts in one layer alone is recovered there and nowhere else."""
    _, program, digits = made
    some, analog, seed = digits.first(150), Analog.worst().alone("synapse_gain", "weight_dac").scaled("weight_dac", 4.0), 3
    lines = ledger(program, some, chips=1, analog=("worse", analog), chip_seed=seed)
    layers = {entry.layer: entry for entry in lines.entries if entry.cause == ALL_CAUSES}
    assert max(abs(entry.alone_points) for entry in layers.values()) > 0.5  # so large that a wrong sign shows
    die = anna.Chip(seed=seed, analog=analog).die(program.spec)
    for layer, place in places_of_layers(program).items():
        for points, where, sign in ((layers[layer].alone_points, place, 1), (layers[layer].without_points, ~place, -1)):
            labels = anna.Chip(silicon=Confined(die.electronics, where)).run(program, some.images).labels
            base = lines.ideal_error if sign > 0 else lines.full_error
            assert points == pytest.approx(100 * sign * (float((labels != some.labels).mean()) - base))


def test_a_full_ledger_tells_the_pairs_that_matter(made) -> None:
    _, program, digits = made
    lines = ledger(program, digits.first(60), chips=2, analog=Analog.typical().alone("droop", "scale"), pairs=True, orders=2)
    assert all(pair.matters for pair in lines.pairs)
    strong = Losses((), 1, 1, 0.0, 0.0, "chips", (Pair("droop", "scale", Interval(0.02, 0.01, 0.03)),))
    assert "droop and scale together: +2.00 points (+1.00 to +3.00) beyond each alone" in ledger_text(strong)


@pytest.mark.parametrize(
    ("preset", "causes"), [("typical-v1", {"thermal_noise"}), ("typical-v2", {"thermal_noise", "adc_noise"}),
                           ("typical-all-wire", {"thermal_noise"}), ("typical-all-converter", {"adc_noise"})],
)  # fmt: skip
def test_the_ledger_tells_noise_of_the_wire_from_noise_of_the_converter(made, preset: str, causes: set[str]) -> None:
    _, program, digits = made
    lost = ledger(program, digits.first(100), chips=2, analog=(preset, Analog.preset(preset).alone("noise")))
    assert {row["cause"] for row in lost.rows() if row["layer"] == "all"} == causes
    assert all(cause in lost.table() for cause in causes)


def test_a_program_of_several_pages_has_its_layers_in_the_ledger(made, paged) -> None:
    """C5 has too many inputs for a neuron of the chip; C5.1, the sums of its parts, is C5 to its user."""
    lines = ledger(paged, made[2].first(50), chips=1, analog=Analog.typical().alone("droop", "adc_offset"))
    layers = ("C1", "S2", "C3", "S4", "C5", "F6")
    assert [(entry.cause, entry.layer) for entry in lines.entries[2:]] == [(ALL_CAUSES, layer) for layer in layers]


def test_every_cause_of_the_ledger_is_explained() -> None:
    assert {*CAUSES, *CODES, "input_rounding"} == set(MEANINGS)
    assert Entry("input_rounding", "input", 0.1, None).meaning and not Entry("droop", "C1", 0.1, None).meaning


@pytest.mark.slow
def test_the_codes_have_their_lines(made) -> None:
    network, program, digits = made
    entries = codes_ledger(network, program, lenet.calibration()[0], digits.first(100),
                           {"machine": anna.MACHINES["wide"], "calibration_count": 50})  # fmt: skip
    assert [entry.cause for entry in entries] == ["weight_rounding", "state_rounding", "saturation", "input_rounding"]
    assert all(abs(entry.alone_points) < 10 for entry in entries)
