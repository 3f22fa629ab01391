"""The imperfections of the chip as one record: how strong each is, what it means, when it is drawn, what it leaves out.

Nearly nothing is known of the real chip's electronics, so every strength is assumed (A) and has a name. The presets are
columns of the same table: `typical` and `worst` stand beside each field. What else has a name differs from a column in a few
fields (`PRESETS`).

    part         what it does                                   file
    weight_dac   a code becomes a charge                        anna.analog.weight_dac
    synapse      charge x state becomes a current; it leaks     anna.analog.synapse
    summing      currents add up on a wire                      anna.analog.summing
    scale        the wire's current is scaled                   anna.analog.scale
    adc          and converted to a state                       anna.analog.adc
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError

from anna.base.errors import SpecError
from anna.base.toml import read_toml
from anna.chip.spec import Record, first_sentence

PartName = Literal["weight_dac", "synapse", "summing", "scale", "adc"]


def strength(part: PartName, symbol: str, unit: str, note: str, *, typical: Any = 0.0, worst: Any = 0.0, off: Any = 0.0,
             drawn: str, leaves_out: str, **limits: Any) -> Any:  # fmt: skip
    """A field for the strength of an imperfection; `off` is the value without it."""
    origin = {"part": part, "symbol": symbol, "unit": unit, "mark": "A", "source": "assumed", "drawn": drawn,
              "leaves_out": leaves_out, "typical": typical, "worst": worst, "off": off}  # fmt: skip
    return Field(default=off, description=note, json_schema_extra=origin, **limits)


def condition(symbol: str, unit: str, value: float, note: str, source: str = "assumed", *,
              presets: Mapping[str, float] | None = None, **limits: Any) -> Any:  # fmt: skip
    """A field for a condition under which the strengths hold; `presets` are the columns that set it."""
    origin: dict[str, Any] = {"part": "conditions", "symbol": symbol, "unit": unit, "mark": "A", "source": source,
                              **(presets or {})}  # fmt: skip
    return Field(default=value, description=note, json_schema_extra=origin, **limits)


# Causes that an error ledger tells apart: a name for each group of fields.
CAUSES: dict[str, tuple[str, ...]] = {
    "weight_dac": ("dac_inl_lsb", "dac_dnl_lsb", "dac_gain_apart", "dac_die_spread"),
    "synapse_gain": ("synapse_gain_mismatch",),
    "synapse_zero": ("synapse_zero_lsb",),
    "state_steps": ("state_step_lsb", "synapse_step_lsb"),
    "droop": ("charge_lost", "leak_mismatch", "leak_die_spread"),
    "charge_noise": ("storage_capacitance_ff", "injection_noise_lsb"),
    "saturation": ("sum_limit",),
    "thermal_noise": ("thermal_noise_lsb", "wire_noise_products"),
    "scale": ("scale_mismatch",),
    "adc_offset": ("adc_offset_lsb", "adc_threshold_offset_lsb"),
    "adc_gain": ("adc_gain_mismatch",),
    "adc_noise": ("adc_noise_lsb",),
    "gradient": ("gain_gradient",),
    "row_drop": ("row_drop",),
    "knee": ("sum_knee",),
    "coupling": ("neighbour_coupling",),
    "settling": ("sum_unsettled",),
    "slow_noise": ("slow_noise_lsb",),
}

# Several causes under one name.
GROUPS: dict[str, tuple[str, ...]] = {"noise": ("thermal_noise", "adc_noise")}

# Version 1: all noise at the ADC, in LSB of the range in use; a leak that needs every refresh; all dies equally bad.
_V1 = {"wire_noise_products": 0.0, "adc_noise_lsb": 0.0, "dac_die_spread": 0.0, "leak_die_spread": 0.0,
       "charge_lost_after_us": 110.0}  # fmt: skip

# Without what `worst` has since version 3: gains by place, the knee of the wire, sums that depend on others, slow noise.
_BEFORE_V3 = {"gain_gradient": 0.0, "row_drop": 0.0, "sum_knee": None, "neighbour_coupling": 0.0, "sum_unsettled": 0.0,
              "slow_noise_lsb": 0.0}  # fmt: skip

# F: `typical-v2`, 1.9 times as strong (what is relative to another strength stays), so that chips cost a recogniser trained as
# in 1990 what ANNA cost in Table 1, 0.4 points of error; 0.93 to 2.47 times would do as well (docs/table-1.md).
_AS_MEASURED = {"dac_inl_lsb": 0.95, "dac_gain_apart": 0.0095, "synapse_gain_mismatch": 0.038, "charge_lost": 0.019,
                "wire_noise_products": 16.15, "scale_mismatch": 0.019, "adc_threshold_offset_lsb": 0.285,
                "adc_noise_lsb": 0.342}  # fmt: skip

# Presets: a column of the table below, and the fields that differ from it. What a name with a version stands for never changes;
# without one it is the newest. Table 1 of the chip's paper does not tell noise of the wire from noise of the converter, so
# there is a `typical` with all noise in either place, as strong as `typical` in the recogniser's median neuron (28 synapses
# with a weight, a range of 256 weight LSB x state LSB): 0.2515 LSB.
PRESETS: dict[str, tuple[str, dict[str, float | None]]] = {
    "ideal": ("off", {}),
    "typical": ("typical", {}),
    "worst": ("worst", {}),
    "typical-v2": ("typical", {}),
    "worst-v3": ("worst", {}),
    "typical-all-wire": ("typical", {"wire_noise_products": 12.17, "adc_noise_lsb": 0.0}),
    "typical-all-converter": ("typical", {"wire_noise_products": 0.0, "adc_noise_lsb": 0.2515}),
    "worst-v2": ("worst", _BEFORE_V3),
    "typical-v1": ("typical", {**_V1, "thermal_noise_lsb": 0.25}),
    "worst-v1": ("worst", {**_BEFORE_V3, **_V1, "thermal_noise_lsb": 0.5}),
    "as-measured": ("typical", {**_AS_MEASURED}),
}

# In a file, a name without a version is that of the time when there was only one.
_IN_FILES = {"typical": "typical-v1", "worst": "worst-v1"}


class Analog(Record):
    """How good a chip's electronics are. `Analog()` is ideal; every imperfection is named.

    The mismatch of a drawn chip is Gaussian, never beyond 6.67 standard deviations.
    """

    # --- weight DAC
    dac_inl_lsb: float = strength(
        "weight_dac", "INL", "weight LSB", "largest distance of a DAC's levels from the line through zero and its lowest level",
        typical=0.5, worst=1.0, le=8, ge=0,
        drawn="per chip and DAC: a bow of even and odd order, zero at levels -32 and 0 and where +32 would be",
        leaves_out="the sawtooth at major carries of a binary DAC",
    )  # fmt: skip
    dac_dnl_lsb: float = strength(
        "weight_dac", "DNL", "weight LSB rms", "error of a step between two neighbouring levels of a DAC",
        le=2, ge=0, drawn="per chip, DAC and code; the zero level has none",
        leaves_out="correlation between codes; off in the presets: the INL covers it",
    )  # fmt: skip
    dac_gain_apart: float = strength(
        "weight_dac", "ΔG/G", "ratio", "how far apart the DACs' gains are, evenly about one",
        typical=0.005, worst=0.02, le=0.5, ge=0, drawn="per chip: which DAC has the larger gain",
        leaves_out="a gain common to all DACs, indistinguishable from the scale",
    )  # fmt: skip
    dac_die_spread: float = strength(
        "weight_dac", "σ(D)", "rms of the logarithm", "spread of the two strengths above from die to die; they are medians",
        typical=0.3, worst=0.3, le=0.5, ge=0, drawn="per chip: a factor on INL and another on ΔG/G, log-normal",
        leaves_out="that the DACs of one die may differ in strength",
    )  # fmt: skip

    # --- synapse
    synapse_gain_mismatch: float = strength(
        "synapse", "σ(g)", "ratio rms", "spread of the synapses' gains",
        typical=0.02, worst=0.05, le=0.12, ge=0, drawn="per chip and synapse",
        leaves_out="correlated neighbours; a gradient across the die is `gain_gradient`",
    )  # fmt: skip
    synapse_zero_lsb: float = strength(
        "synapse", "σ(w0)", "weight LSB rms", "what a synapse adds to its weight, whatever its code",
        le=2, ge=0, drawn="per chip and synapse",
        leaves_out="a part independent of the state; off in the presets: the weight is differential",
    )  # fmt: skip
    state_step_lsb: float = strength(
        "synapse", "σ(x)", "state LSB rms", "error of a state's level, the same for all synapses of a column",
        le=0.5, ge=0, drawn="per chip, column and state code",
        leaves_out="differences between registers that drive the same column",
    )  # fmt: skip
    synapse_step_lsb: float = strength(
        "synapse", "σ(d)", "state LSB rms", "error of a state's level in one multiplying DAC",
        le=0.5, ge=0, drawn="per chip, synapse and state code",
        leaves_out="the binary weights of a multiplying DAC: its levels err independently",
    )  # fmt: skip
    charge_lost: float = strength(
        "synapse", "q", "ratio", "share of a charge that has leaked by `charge_lost_after_us`",
        typical=0.01, worst=0.04, le=0.9, ge=0, drawn="per cycle: by the age of the charge at the CALC, exponentially",
        leaves_out="a leak that depends on the charge itself, or settles at a value other than zero",
    )  # fmt: skip
    leak_mismatch: float = strength(
        "synapse", "σ(λ)", "ratio rms", "spread of the synapses' leak rates; none is negative",
        le=1, ge=0, drawn="per chip and synapse", leaves_out="single cells that leak a hundred times more: see faults",
    )  # fmt: skip
    leak_die_spread: float = strength(
        "synapse", "σ(Λ)", "rms of the logarithm",
        "spread of the leak from die to die; `charge_lost` is that of the median die",
        typical=0.3, worst=0.3, le=0.5, ge=0, drawn="per chip: a factor on the rate of all its leaks, log-normal",
        leaves_out="gradients across the die",
    )  # fmt: skip
    storage_capacitance_ff: float | None = strength(
        "synapse", "C", "fF", "capacitor that holds a charge, hence its kT/C noise; None: no such noise",
        off=None, typical=None, worst=None, ge=1, le=1e6, drawn="per refresh, image and synapse",
        leaves_out="that a leaked charge has lost some of its noise too; invisible, so off in the presets",
    )  # fmt: skip
    injection_noise_lsb: float = strength(
        "synapse", "σ(i)", "weight LSB rms", "varying part of the charge that the switch injects at a refresh",
        le=2, ge=0, drawn="per refresh, image and synapse",
        leaves_out="the constant part, which is a zero error; invisible, so off in the presets",
    )  # fmt: skip

    gain_gradient: float = strength(
        "synapse", "Δg", "ratio rms", "how far apart the gains of opposite edges of the array are, along x and along y alike",
        worst=0.04, le=0.1, ge=0, drawn="per chip: a slope along x and one along y, so its direction and its size",
        leaves_out="curvature; gradients of leaks, scale steps and ADCs",
    )  # fmt: skip
    row_drop: float = strength(
        "synapse", "ΔV/V", "ratio", "share of its gain that the synapse farthest from its row's driver loses to the line",
        worst=0.02, le=0.5, ge=0, drawn="not drawn: by the column, a parabola",
        leaves_out="that the drop may depend on data: it would lie between none and this one",
    )  # fmt: skip

    # --- summing wire
    sum_limit: float | None = strength(
        "summing", "Imax", "synapses at full drive", "largest sum that a wire carries, either sign; None: unlimited",
        off=None, typical=None, worst=None, gt=0, le=4096, drawn="not drawn: a hard limit",
        leaves_out="the soft knee, which is `sum_knee`",
    )  # fmt: skip
    sum_knee: float | None = strength(
        "summing", "Iknee", "synapses at full drive",
        "sum that a wire approaches and never reaches, either sign; None: no knee",
        off=None, typical=None, worst=48.0, gt=0, le=4096, drawn="not drawn: a smooth law",
        leaves_out="that noise of the converter, behind the knee, is more in terms of the sum before it",
    )  # fmt: skip
    thermal_noise_lsb: float = strength(
        "summing", "σ(n)", "ADC LSB rms", "noise of a sum at the ADC, at the scale in use and reference temperature",
        le=1000, ge=0, drawn="per evaluation: image, CALC and neuron",
        leaves_out="that more synapses make more noise; off in the presets since version 2: the wire's noise replaces it",
    )  # fmt: skip
    wire_noise_products: float = strength(
        "summing", "σ(w)", "weight LSB x state LSB rms",
        "noise of a sum of 64 synapses that carry a weight, at reference temperature; grows as the root of their number",
        typical=8.5, worst=17.0, le=1e6, ge=0, drawn="per evaluation, in one draw with the other noise of the sum",
        leaves_out="that it may depend on the states; slow noise, of which the converter's is `slow_noise_lsb`",
    )  # fmt: skip
    neighbour_coupling: float = strength(
        "summing", "κ", "ratio", "share of each neighbouring neuron's sum that a sum takes, in the same CALC",
        worst=0.02, le=0.25, ge=0, drawn="not drawn: by the sums of the CALC",
        leaves_out="neighbours of neighbours; that pairs of wires differ, and that a fast step couples more than a slow one",
    )  # fmt: skip
    sum_unsettled: float = strength(
        "summing", "ε", "ratio", "share of its last sum that a wire still holds 200 ns after a CALC began, 4 cycles at 20 MHz",
        worst=0.02, le=0.4, ge=0, drawn="not drawn: by the last CALC of the neuron in the segment, and the clock",
        leaves_out="what is left of the CALC before that; slewing, which takes longer for a larger step",
    )  # fmt: skip

    # --- scale factor
    scale_mismatch: float = strength(
        "scale", "σ(s)", "ratio rms", "spread of the ADC's range at each step of each scale circuit",
        typical=0.01, worst=0.03, le=0.12, ge=0, drawn="per chip, neuron slot and scale code",
        leaves_out="that steps with parts in common err together",
    )  # fmt: skip

    # --- ADC
    adc_gain_mismatch: float = strength(
        "adc", "σ(a)", "ratio rms", "spread of the ADCs' ranges", le=0.12, ge=0, drawn="per chip and ADC",
        leaves_out="nothing; off in the presets: the scale mismatch covers it",
    )  # fmt: skip
    adc_offset_lsb: float = strength(
        "adc", "σ(o)", "ADC LSB rms", "offset common to all thresholds of an ADC", le=4, ge=0,
        drawn="per chip and ADC",
        leaves_out="drift, which is `slow_noise_lsb`; off in the presets: the threshold offsets cover it",
    )  # fmt: skip
    adc_threshold_offset_lsb: float = strength(
        "adc", "σ(t)", "ADC LSB rms", "individual offset of each threshold",
        typical=0.15, worst=0.4, le=4, ge=0, drawn="per chip, ADC and threshold",
        leaves_out="correlation of neighbours; thresholds that cross make a missing code, never a falling curve",
    )  # fmt: skip
    adc_noise_lsb: float = strength(
        "adc", "σ(c)", "ADC LSB rms", "noise of the converter itself, at the scale in use, whatever the temperature",
        typical=0.18, worst=0.36, le=1000, ge=0, drawn="per evaluation, in one draw with the noise of the sum",
        leaves_out="separate noise of each comparator",
    )  # fmt: skip
    slow_noise_lsb: float = strength(
        "adc", "σ(f)", "ADC LSB rms",
        "1/f noise of scale circuit and converter, at the scale in use: periods from 2 to 16,384 images",
        worst=0.18, le=1000, ge=0, drawn="per noise seed, ADC and image, correlated from image to image",
        leaves_out="changes within an image; each comparator's own; growth with temperature",
    )  # fmt: skip

    # --- conditions
    temperature_k: float = condition("T", "K", 300.0, "temperature of the die", ge=200, le=420)
    reference_temperature_k: float = condition(
        "T0", "K", 300.0, "temperature at which `charge_lost` and noise of the sum hold", ge=200, le=420
    )
    leak_doubling_k: float = condition(
        "ΔT2", "K", 9.0, "rise in temperature that doubles the leak", "junctions: every 8 to 10 K", ge=5, le=20
    )
    charge_lost_after_us: float = condition(
        "t0", "us", 110.0, "age at which `charge_lost` has leaked",
        "110 us: a full refresh (R); typical and worst: one refresh a character sufficed in 1991",
        presets={"typical": 5000.0, "worst": 5000.0}, ge=1e-3, le=1e6,
    )  # fmt: skip
    weight_lsb_mv: float = condition("U", "mV", 31.25, "voltage of one weight LSB: 1 V for 32", gt=0, le=1e4)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SpecError(f"Analog: {first_sentence(error, type(self))}") from None

    # --- presets
    @classmethod
    def preset(cls, name: str) -> Self:
        """ideal, typical or worst, or another of `PRESETS`."""
        if name not in PRESETS:
            first, others = tuple(PRESETS)[:3], tuple(PRESETS)[3:]
            expected = f"{first[0]}, {first[1]} or {first[2]}, or one of {', '.join(others)}"
            raise SpecError(f"there is no preset {name!r}; expected {expected}")
        column, changes = PRESETS[name]
        fields = {field: _extra(field)[column] for field in cls.model_fields if column in _extra(field)}
        return cls(**fields | changes)

    @classmethod
    def named(cls, name: str) -> Self:
        """A preset by name, or a TOML file by path."""
        return cls.load(name) if name.endswith(".toml") else cls.preset(name)

    @classmethod
    def ideal(cls) -> Self:
        """No imperfection at all."""
        return cls.preset("ideal")

    @classmethod
    def typical(cls) -> Self:
        """A plausible chip."""
        return cls.preset("typical")

    @classmethod
    def worst(cls) -> Self:
        """A chip just good enough to keep."""
        return cls.preset("worst")

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a TOML file: `preset = "typical-v2"` and the fields that differ; `"none"` for what is off or unlimited.

        There, `typical` and `worst` without a version are those of version 1, the only one when such files were written.
        """
        values = read_toml(path, "analog parameters")
        try:
            name = str(values.pop("preset", "ideal"))
            base = cls.preset(_IN_FILES.get(name, name))
            return base.changed(**{key: None if value == "none" else value for key, value in values.items()})
        except SpecError as error:
            raise SpecError(f"{path}: {error}") from None

    def to_toml(self) -> str:
        """The text that `load` reads back."""
        texts = {key: '"none"' if value is None else repr(value) for key, value in self.model_dump().items()}
        return "".join(f"{key} = {text}\n" for key, text in texts.items())

    # --- one imperfection at a time
    def scaled(self, what: str, factor: float) -> Self:
        """The same with one imperfection, cause or part `factor` times as strong; 0 turns it off."""
        if not 0 <= factor < float("inf"):
            raise SpecError(f"{what} cannot be scaled by {factor}; expected zero or more, and finite")
        return self.changed(**{name: _scaled(name, getattr(self, name), factor, what) for name in fields_of(what)})

    def without(self, *what: str) -> Self:
        """The same without some imperfections, causes or parts."""
        return self.changed(**{name: _extra(name)["off"] for one in what for name in fields_of(one)})

    def alone(self, *what: str) -> Self:
        """Only some imperfections, causes or parts, as strong as here; conditions stay."""
        kept = {name for one in what for name in fields_of(one)}
        return self.changed(**{name: _extra(name)["off"] for name in STRENGTHS if name not in kept})

    @property
    def causes(self) -> tuple[str, ...]:
        """The causes that are on."""
        return tuple(cause for cause, fields in CAUSES.items() if any(getattr(self, f) != _extra(f)["off"] for f in fields))

    @property
    def kind(self) -> str:
        """The name of the preset that this is, if it is one."""
        return next((name for name in PRESETS if self == type(self).preset(name)), "custom")

    @property
    def is_ideal(self) -> bool:
        """Whether nothing is on."""
        return not self.causes


def _extra(field: str) -> dict[str, Any]:
    extra = Analog.model_fields[field].json_schema_extra
    assert isinstance(extra, dict)
    return extra


# Every field that is a strength, in the order of the signal.
STRENGTHS = tuple(name for name in Analog.model_fields if "off" in _extra(name))


def fields_of(what: str) -> tuple[str, ...]:
    """The strengths that a name stands for: a cause, several, a part or a field."""
    if what in GROUPS:
        return tuple(name for cause in GROUPS[what] for name in CAUSES[cause])
    if what in CAUSES:
        return CAUSES[what]
    names = tuple(name for name in STRENGTHS if what in (name, _extra(name)["part"]))
    if not names:
        raise SpecError(f"there is no imperfection {what!r}; expected one of {', '.join(_known())}")
    return names


def _known() -> Iterable[str]:
    return dict.fromkeys([*CAUSES, *GROUPS, *(str(_extra(name)["part"]) for name in STRENGTHS), *STRENGTHS])


def _scaled(field: str, value: float | None, factor: float, what: str) -> float | None:
    """A strength times `factor`, when `what` is scaled: a tighter limit, a smaller capacitor, a larger error."""
    if value is None or factor == 0:
        return _extra(field)["off"]  # type: ignore[no-any-return]
    match field:
        case "sum_limit" | "sum_knee":
            return value / factor
        case "storage_capacitance_ff":
            return value / (factor * factor)  # noise grows with the root of 1/C
        case "leak_mismatch" | "leak_die_spread" | "dac_die_spread" if what != field:
            return value  # relative to strengths that are scaled themselves
    return value * factor


def table() -> str:
    """All parameters as a Markdown table, for the manual."""
    heads = ("field", "symbol", "unit", "typical", "worst", "what it is", "drawn", "leaves out")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, field in Analog.model_fields.items():
        extra = _extra(name)
        typical, worst = (_value_text(extra.get(key, field.default)) for key in ("typical", "worst"))
        lines.append(f"| `{name}` | {extra['symbol']} | {extra['unit']} | {typical} | {worst} | {field.description} | "
                     f"{extra.get('drawn', 'a condition')} | {extra.get('leaves_out', extra['source'])} |")  # fmt: skip
    return "\n".join(lines) + "\n"


def _value_text(value: Any) -> str:
    return "none" if value is None else f"{value:g}"
