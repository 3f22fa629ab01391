"""What a sweep file may contain, the points it gives, and the sentence for everything else."""

from pathlib import Path
from typing import Any

import pytest

from anna.base.errors import SpecError
from sim.sweep.spec import SweepSpec, load_spec, make_spec

BITS = {"chip.weight_bits": [2, 3], "chip.state_bits": {"first": 1, "last": 3}}


def spec(**fields: Any) -> SweepSpec:
    return make_spec({"name": "test", "axes": BITS, **fields})


def test_a_grid_has_all_combinations_the_last_axis_fastest() -> None:
    points = spec().all_points()
    assert [tuple(point.values.values()) for point in points] == [(2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3)]
    assert [point.number for point in points] == list(range(6))
    assert points[0].fields_of("chip") == {"weight_bits": 2, "state_bits": 1}


def test_a_list_walks_its_axes_side_by_side() -> None:
    found = spec(design="list", axes={"chip.weight_bits": [6, 6, 4], "chip.state_bits": [3, 4, 4]})
    assert [tuple(point.values.values()) for point in found.all_points()] == [(6, 3), (6, 4), (4, 4)]


def test_a_random_design_is_drawn_from_the_seed_axis_by_axis() -> None:
    axes = {"analog.temperature_k": {"first": 250, "last": 350, "count": 101}, "chip.weight_bits": [5, 6]}
    drawn = [point.values for point in spec(design="random", points=50, axes=axes, seed=4).all_points()]
    assert drawn[:3] == [point.values for point in spec(design="random", points=3, axes=axes, seed=4).all_points()]
    assert len({point["analog.temperature_k"] for point in drawn}) > 30
    alone = {"analog.temperature_k": axes["analog.temperature_k"]}
    other = spec(design="random", points=50, axes=alone, seed=4).all_points()
    assert [point.values["analog.temperature_k"] for point in other] == [point["analog.temperature_k"] for point in drawn]
    assert drawn != [point.values for point in spec(design="random", points=50, axes=axes, seed=5).all_points()]


def test_values_have_the_type_of_their_field() -> None:
    axes = {"scaled.droop": [1, 2], "analog.sum_limit": ["none", 3], "compile.host": ["none", "last"],
            "chip.fan_ins": [[16, 64, 256]], "analog.thermal_noise_lsb": {"first": 0, "last": 1, "count": 5}}  # fmt: skip
    found = spec(axes=axes)
    assert repr(found.values_of("scaled.droop")) == "(1.0, 2.0)"
    assert repr(found.values_of("analog.sum_limit")) == "(None, 3.0)"
    assert found.values_of("compile.host") == ("none", "last")
    assert found.values_of("chip.fan_ins") == ((16, 64, 256),)
    assert found.values_of("analog.thermal_noise_lsb") == (0.0, 0.25, 0.5, 0.75, 1.0)


def test_two_ways_to_say_the_same_are_the_same_sweep_and_the_order_of_axes_counts() -> None:
    said = spec(axes={"chip.weight_bits": [2, 3], "chip.state_bits": [1, 2, 3]})
    assert said.content == spec().content
    assert spec(axes=dict(reversed(BITS.items()))).content != spec().content


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"axes": {"chip.weight_bit": [2]}}, "axis 'chip.weight_bit': chip has no weight_bit; it has instruction_set,"),
        ({"axes": {"chips.weight_bits": [2]}}, "axis 'chips.weight_bits' is not known; expected network, weights_seed, analog, "
         "first_chip, or a field of chip, analog, faults, compile, train, scaled"),
        ({"axes": {}}, "axes: Dictionary should have at least 1 item"),
        ({"axes": {"chip.weight_bits": []}}, "axis 'chip.weight_bits' has no values"),
        ({"axes": {"chip.weight_bits": 3}}, "axis 'chip.weight_bits': expected a list of values or a range, got 3"),
        ({"axes": {"chip.weight_bits": [2.5]}}, "axis 'chip.weight_bits': expected a whole number, got 2.5"),
        ({"axes": {"chip.weight_bits": ["2"]}}, "axis 'chip.weight_bits': expected a whole number, got '2'"),
        ({"axes": {"chip.weight_bits": [1]}}, "axis 'chip.weight_bits': expected at least 2, got 1"),
        ({"axes": {"chip.weight_bits": [2, 2]}}, "axis 'chip.weight_bits' has a duplicate value"),
        ({"axes": {"chip.weight_bits": {"first": 3, "last": 1}}}, "expected a list of values, or first <= last"),
        ({"axes": {"analog.adc_offset_lsb": {"first": 0.5, "last": 1}}}, "range from 0.5 to 1 needs a count"),
        ({"axes": {"analog.adc_offset_lsb": [float("nan")]}}, "axis 'analog.adc_offset_lsb'"),
        ({"axes": {"scaled.everything": [1]}}, "axis 'scaled.everything': scaled has no everything; it has weight_dac"),
        ({"axes": {"compile.calibrate": ["max"], "compile.range_method": ["max"]}},
         "axes 'compile.calibrate' and 'compile.range_method' are the same; expected only one of them"),
        ({"axes": {"compile.board": ["mine"]}}, "axis 'compile.board': expected 'anna-board-1991' or"),
        ({"axes": {"compile.machine": ["mine"]}}, "axis 'compile.machine': expected 'sequencer', 'board-1991', 'board-1996'"),
        ({"design": "list"}, "a list needs axes of equal length, got chip.weight_bits 2, chip.state_bits 3"),
        ({"design": "random"}, "points must be given for the random design, and for no other"),
        ({"points": 3}, "points must be given for the random design, and for no other"),
        ({"axes": {"chip.clock_hz": {"first": 1, "last": 900_000}, **BITS}}, "5,400,000 points; expected at most 1,000,000"),
        ({"speed": 1}, "speed is not known; "),
        ({"count": 5}, "count: expected at least 10, got 5"),
        ({"images": 50, "count": 50}, "images: expected text, got 50"),
        ({"name": "a b"}, "name: String should match pattern"),
        ({"stop": {"width_points": 0}}, "stop.width_points: expected more than 0, got 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_gives_one_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError) as caught:
        spec(**fields)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_or_is_not_toml(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text("name = ", encoding="utf-8")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    for name, sentence in [("none.toml", "cannot be read (No such file or directory); expected a sweep"),
                           ("bad.toml", "is not TOML"), ("binary.toml", "is not TOML"),
                           ("", "cannot be read (Is a directory)")]:  # fmt: skip
        with pytest.raises(SpecError, match=r"^" + str(tmp_path)) as caught:
            load_spec(tmp_path / name)
        assert sentence in str(caught.value)


def test_a_sweep_of_version_0_1_keeps_the_names_of_its_axes() -> None:
    """Its rows are found by them; the compiler gets the options' current names."""
    made = [
        make_spec({"name": "a", "axes": {f"compile.{name}": ["max", "percentile"]}}) for name in ("calibrate", "range_method")
    ]
    old, new = made
    assert [point.values for point in old.all_points()] == [{"compile.calibrate": "max"}, {"compile.calibrate": "percentile"}]
    assert [one.fields_of("compile") for one in old.all_points()] == [one.fields_of("compile") for one in new.all_points()]
