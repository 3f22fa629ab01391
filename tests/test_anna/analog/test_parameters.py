"""Analog parameters: each says what it is; presets, imperfections one at a time, and TOML files."""

from pathlib import Path

import numpy as np
import pytest

import anna
from anna.analog import parameters
from anna.analog.parameters import CAUSES, PRESETS, STRENGTHS
from anna.base.errors import FileError, SpecError
from anna.chip import codes
from anna.chip.spec import ANNA_WIDE


def test_every_field_says_what_it_is() -> None:
    for name, origin in anna.Analog.provenance().items():
        assert {"symbol", "unit", "mark", "source", "part"} <= set(origin), name
        assert origin["mark"] == "A"
        if name in STRENGTHS:
            assert {"drawn", "leaves_out", "typical", "worst"} <= set(origin), name
    assert sorted(field for fields in CAUSES.values() for field in fields) == sorted(STRENGTHS)
    assert all(f"`{name}`" in parameters.table() for name in anna.Analog.model_fields)


def test_the_manual_has_the_table_of_parameters() -> None:
    assert parameters.table() in (Path(__file__).parents[3] / "docs" / "analog.md").read_text(encoding="utf-8")


def test_the_presets_are_as_documented() -> None:
    shared = {
        "synapse_gain_mismatch": (0.02, 0.05), "dac_inl_lsb": (0.5, 1.0), "dac_gain_apart": (0.005, 0.02),
        "adc_threshold_offset_lsb": (0.15, 0.4), "scale_mismatch": (0.01, 0.03), "charge_lost": (0.01, 0.04),
    }  # fmt: skip
    v1 = {"thermal_noise_lsb": (0.25, 0.5)}
    v2 = {"wire_noise_products": (8.5, 17.0), "adc_noise_lsb": (0.18, 0.36), "dac_die_spread": (0.3, 0.3),
          "leak_die_spread": (0.3, 0.3), "charge_lost_after_us": (5000.0, 5000.0)}  # fmt: skip
    v3 = {"gain_gradient": (0.0, 0.04), "row_drop": (0.0, 0.02), "sum_knee": (None, 48.0), "neighbour_coupling": (0.0, 0.02),
          "sum_unsettled": (0.0, 0.02), "slow_noise_lsb": (0.0, 0.18)}  # fmt: skip
    for worst_name, own in (("worst-v1", v1), ("worst-v2", v2), ("worst-v3", v2 | v3)):
        typical_name = worst_name.replace("worst", "typical").replace("v3", "v2")  # which has no third version
        typical, worst = anna.Analog.preset(typical_name), anna.Analog.preset(worst_name)
        for field in anna.Analog.model_fields:
            off = getattr(anna.Analog.ideal(), field)
            assert (getattr(typical, field), getattr(worst, field)) == {**shared, **own}.get(field, (off, off)), field
        assert not typical.is_ideal
    assert anna.Analog() == anna.Analog.ideal()
    assert anna.Analog.ideal().is_ideal


def test_a_preset_without_a_version_is_the_newest() -> None:
    assert anna.Analog.typical() == anna.Analog.preset("typical") == anna.Analog.preset("typical-v2")
    assert anna.Analog.worst() == anna.Analog.preset("worst") == anna.Analog.preset("worst-v3")
    kinds = ["ideal", "typical", "worst", "typical", "worst", *list(PRESETS)[5:]]
    assert [anna.Analog.preset(name).kind for name in PRESETS] == kinds
    assert all(anna.Analog.named(name) == anna.Analog.preset(name) for name in PRESETS)


def test_noise_is_as_strong_in_the_recognisers_median_neuron_wherever_it_sits() -> None:
    """28 synapses with a weight and the finest range: 0.25 LSB of the ADC for `typical` of either version, twice as much for
    `worst`, and the same for all noise on the wire and all in the converter."""
    place = (np.zeros(1, np.int64),) * 4
    lsb = codes.adc_lsb(ANNA_WIDE)[0]
    alone = {name: anna.Die.draw(ANNA_WIDE, anna.Analog.preset(name).alone("noise"), 0) for name in PRESETS}
    sigma = {name: float(die.electronics.thermal_sigma(*place, np.array([28]))[0] / lsb)
             for name, die in alone.items() if name != "ideal"}  # fmt: skip
    assert sigma["typical"] == pytest.approx((0.18**2 + (8.5 * (28 / 64) ** 0.5 / 32) ** 2) ** 0.5, rel=1e-6)
    assert sigma["typical-v1"] == 0.25 and sigma["worst-v1"] == 0.5
    for name in ("typical", "typical-all-wire", "typical-all-converter"):
        assert sigma[name] == pytest.approx(0.2515, abs=1e-4), name
    assert sigma["worst"] == pytest.approx(2 * sigma["typical"], rel=1e-6)


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"thermal_noise_lsb": -1.0}, "thermal_noise_lsb: expected at least 0, got -1.0"),
        ({"synapse_gain_mismatch": float("nan")}, "synapse_gain_mismatch: expected a finite number, got nan"),
        ({"temperature_k": 0.0}, "temperature_k: expected at least 200, got 0.0"),
        ({"charge_lost": 1.0}, "charge_lost: expected at most 0.9, got 1.0"),
        ({"storage_capacitance_ff": 0.0}, "storage_capacitance_ff: expected at least 1, got 0.0"),
        ({"thermal_noise": 0.1}, "thermal_noise is not known; the nearest is thermal_noise_lsb"),
        ({"sum_limit": "much"}, "sum_limit: expected a number, got 'much'"),
    ],
)
def test_bad_parameters_get_one_sentence(bad: dict[str, object], sentence: str) -> None:
    for make in (lambda: anna.Analog(**bad), lambda: anna.Analog.typical().changed(**bad)):
        with pytest.raises(SpecError) as error:
            make()
        assert str(error.value) == f"Analog: {sentence}"


def test_one_imperfection_at_a_time() -> None:
    worst = anna.Analog.worst().changed(sum_limit=4.0, storage_capacitance_ff=100.0, temperature_k=330.0)
    for cause in CAUSES:
        alone, without = worst.alone(cause), worst.without(cause)
        assert set(alone.causes) == {cause} & set(worst.causes)
        assert set(without.causes) == set(worst.causes) - {cause}
        assert alone.temperature_k == without.temperature_k == 330.0
        assert worst.scaled(cause, 1) == worst
        assert worst.scaled(cause, 0) == without
    assert worst.scaled("thermal_noise", 0.5).wire_noise_products == 8.5
    assert anna.Analog.preset("worst-v1").scaled("thermal_noise", 0.5).thermal_noise_lsb == 0.25
    assert worst.scaled("noise", 0.5).adc_noise_lsb == worst.scaled("adc_noise", 0.5).adc_noise_lsb == 0.18
    assert worst.alone("noise").causes == ("thermal_noise", "adc_noise")
    assert worst.scaled("saturation", 2).sum_limit == 2.0
    assert worst.scaled("charge_noise", 2).storage_capacitance_ff == 25.0
    assert (worst.scaled("knee", 2).sum_knee, worst.scaled("row_drop", 2).row_drop) == (24.0, 0.04)
    assert worst.scaled("droop", 0.5).charge_lost == 0.02
    assert worst.alone("adc").causes == ("adc_offset", "adc_noise", "slow_noise")
    with pytest.raises(SpecError, match="there is no imperfection 'luck'; expected one of weight_dac, synapse_gain"):
        worst.alone("luck")
    with pytest.raises(SpecError, match="droop cannot be scaled by -1; expected zero or more"):
        worst.scaled("droop", -1)


def test_the_toml_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "chip.toml"
    for analog in (anna.Analog.worst(), anna.Analog.typical().changed(sum_limit=3.0, storage_capacitance_ff=50.0)):
        path.write_text(analog.to_toml())
        assert anna.Analog.load(path) == analog
    for name in PRESETS:
        path.write_text(f'preset = "{name}"\nsynapse_zero_lsb = 0.3\nsum_limit = "none"\n')
        meant = f"{name}-v1" if name in ("typical", "worst") else name  # as when there was one version only
        assert anna.Analog.load(path) == anna.Analog.preset(meant).changed(synapse_zero_lsb=0.3)
    for text, sentence in (
        ('preset = "good"', "there is no preset 'good'; expected ideal, typical or worst, or one of typical-v2, worst-v3"),
        ("thermal_noise_lsb = -1", "Analog: thermal_noise_lsb: expected at least 0, got -1"),
        ("thermal", "is not TOML"),
    ):
        path.write_text(text)
        with pytest.raises(anna.AnnaError, match=sentence):
            anna.Analog.load(path)
    with pytest.raises(FileError, match="cannot be read"):
        anna.Analog.load(tmp_path / "nothing.toml")
