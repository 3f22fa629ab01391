"""Choosing digits, copies and synapses layer by layer: as few as keep a program within a tolerance, or as a time allows.

The climb begins with one of each. In each round the layers that add the most noise go up a rung of a short ladder; the judge
says what that bought. Once the program is near enough, layers go down again where that costs nothing. Noise is evidence that
costs little: what a layer's states lose on the calibration images, and what the wire and the synapses of drawn dies add. Every
choice follows from the network, the images and the options alone, so that it can be repeated, or given by hand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.parameters import Analog
from anna.analog.summing import SYNAPSES_OF_WIRE_NOISE
from anna.base.errors import CompileError
from anna.chip import codes
from anna.compiler.calibrate import Calibration
from anna.compiler.check import check
from anna.compiler.digits import STEPS, widened
from anna.compiler.ir import INPUT, ChipLayer, HostStage, Lowered
from anna.compiler.judging import IDEAL, Judge, set_apart
from anna.compiler.maxima import compiled as compiled_either_way
from anna.compiler.maxima import maxima_of
from anna.compiler.options import CompileOptions
from anna.compiler.passes import Compilation, run
from anna.compiler.quantised import QuantLayer
from anna.compiler.rungs import STEPS_ONLY, Climb, PrecisionOptions, Step
from anna.compiler.split import split
from anna.network.graph import Network

CHOSEN = ("digits", "overlap", "copies", "synapses", "balance", "input_clip")  # options that a climb decides
NOISIEST = 0.4  # share of the greatest noise from which on a layer goes up in the same round
TRIES_DOWN = 6  # programs that are judged to find layers that may go down again
CLIPS = (3.0, 1.0, 0.5, 0.1)  # percent of the values of an input that may lie beyond its range
CLIP_SHARE = 4  # a clipped input alone may cost this part of the tolerance


def compiled(network: Network, images: NDArray[Any] | None, options: CompileOptions, aim: PrecisionOptions) -> Compilation:
    """Choose a climb and compile by it: the same program as with its options given by hand."""
    climb = chosen(network, images, options, aim)
    return replace(run(network, images, options.changed(**climb.options)), climb=climb)


def chosen(network: Network, images: NDArray[Any] | None, options: CompileOptions, aim: PrecisionOptions) -> Climb:
    """The climb for a network."""
    given = [name for name in CHOSEN if getattr(options, name) != CompileOptions.model_fields[name].default]
    if given:
        raise CompileError([f"option {given[0]} was given, but precision auto chooses it; leave one of them out"])
    if aim.within is None and aim.time_budget is None:
        raise CompileError(["precision auto needs an aim: within (points of error), time_budget (us an image), or both"])
    if images is None or len(images) == 0:
        raise CompileError([f"{network.name}: precision auto needs calibration images"])
    settled = {}
    if options.maxima == options.host == "auto" and maxima_of(check(network, options)):
        at_one_digit = compiled_either_way(network, images, options.changed(check_count=0))
        settled = {"maxima": "host" if at_one_digit.options.maxima == "host" else "chip"}
        options = options.changed(**settled)
    mine, others = set_apart(np.asarray(images), options.calibration_count)
    judge = Judge.of(network, others, aim.against, aim.chips)
    climb = _Search(network, mine, options.changed(check_count=0), aim, judge, check(network, options)).climb()
    return replace(climb, options={**climb.options, **settled})


class _Search:
    """Programs tried one after the other."""

    def __init__(self, network: Network, images: NDArray[Any], options: CompileOptions, aim: PrecisionOptions, judge: Judge,
                 lowered: Lowered) -> None:  # fmt: skip
        self.network, self.images, self.options, self.aim, self.judge = network, images, options, aim, judge
        self.lowered = lowered
        self.rungs = aim.rungs
        self.names = tuple(dict.fromkeys(layer.origin for layer in lowered.layers))
        self.stepping = _stepping(lowered, options)
        self.tops = dict.fromkeys(self.names, len(self.rungs) - 1)  # the highest rung that could be compiled
        self.clip = self._clip()
        self.steps: list[Step] = []

    def climb(self) -> Climb:
        """Up until the program is near enough, then down again as far as it stays so."""
        place = dict.fromkeys(self.names, 0)
        done = self._compiled(place)
        best = self._judged(place, done)
        while not self._near(best):
            higher = self._up(place, self._noise(done))
            if higher is None:
                break
            done, step = higher
            place = dict(step.rungs)
            if step.verdict.mean <= best.verdict.mean or not self.aim.fast(best):
                best = step
        best = self._down(best)
        return Climb(self.aim, self._options(best.rungs), tuple(self.steps), best)

    def _up(self, place: Mapping[str, int], noise: Mapping[str, float]) -> tuple[Compilation, Step] | None:
        """The next program: the noisiest layers a rung higher, or where that cannot be had the noisiest alone; one that
        cannot go higher stays. None if no layer can."""
        while any(place[name] < self.tops[name] for name in self.names):
            for share in (NOISIEST, 1.0):
                raised = self._raised(place, noise, share)
                try:
                    done = self._compiled(raised)
                except CompileError:
                    continue
                step = self._judged(raised, done)
                if self.aim.fast(step):
                    return done, step
            for name in self.names:
                if raised[name] != place[name]:
                    self.tops[name] = place[name]
        return None

    def _down(self, best: Step) -> Step:
        """Layers that may go down: halves of them while that works, those with the least noise to lose first."""
        at = dict(best.rungs)
        names = [name for name in self.names if at[name]]
        share = max(1, len(names) // 2)
        for _ in range(TRIES_DOWN):
            if not names:
                break
            down, names = names[-share:], names[:-share]
            tried = {name: self._moved(name, rung, -1) if name in down else rung for name, rung in at.items()}
            try:
                step = self._judged(tried, self._compiled(tried))
            except CompileError:
                continue
            enough = self._near(step) if self._near(best) else step.verdict.mean <= best.verdict.mean
            if enough and step.us < best.us:
                at, best = tried, step
            else:
                self.steps[-1] = replace(step, kept=False)
                share = max(1, share // 2)
        return best

    def _near(self, step: Step) -> bool:
        return self.aim.fast(step) and bool(self.aim.near(step))

    def _raised(self, place: Mapping[str, int], noise: Mapping[str, float], share: float) -> dict[str, int]:
        """One rung more for the layers that may rise and have that share of the greatest noise among those."""
        free = [name for name in self.names if place[name] < self.tops[name]]
        most = max((noise[name] for name in free), default=0.0)
        return {name: self._moved(name, rung, 1) if name in free and noise[name] >= share * most else rung
                for name, rung in place.items()}  # fmt: skip

    def _moved(self, name: str, rung: int, by: int) -> int:
        """The rung above or below; only a layer that has steps has one for these."""
        found = rung + by
        return found + by if self.rungs[found] == STEPS_ONLY and name not in self.stepping else found

    def _compiled(self, place: Mapping[str, int]) -> Compilation:
        return run(self.network, self.images, self.options.changed(**self._options(place)))

    def _judged(self, place: Mapping[str, int], done: Compilation) -> Step:
        report, sqnr = done.program.report or {}, dict[str, float]()
        for quant in done.quantised.layers:
            sqnr[quant.layer.origin] = quant.sqnr_db  # of the last part of a chain
        step = Step(dict(place), self.judge(done.program), float(report["chip_us_per_image"]),
                    float(report["cycles_per_image"]), int(report["pages"]), sqnr, True)  # fmt: skip
        self.steps.append(replace(step, kept=self.aim.fast(step) or not self.steps))
        return step

    def _options(self, place: Mapping[str, int]) -> dict[str, Any]:
        """The options of a climb; one rung for nobody is the default."""
        rungs = {name: self.rungs[rung] for name, rung in place.items()}
        digits = {name: rung.digits for name, rung in rungs.items()}
        digits |= {name + STEPS: rung.steps for name, rung in rungs.items() if rung.steps}
        for name, readers in _given(self.lowered):
            digits[name] = max(rungs[layer.origin].read for layer in readers)
        drawn = self.aim.against != IDEAL
        found: dict[str, Any] = {
            "digits": digits,
            "overlap": drawn,
            "copies": {name: rung.copies for name, rung in rungs.items()},
            "synapses": {name: rung.synapses for name, rung in rungs.items()},
            "balance": drawn and any(place.values()),
            "input_clip": self.clip if any(place.values()) else 0.0,
        }
        chosen_for = {} if self.options.against == IDEAL else {"against": self.options.against}
        return {name: _plain(value) for name, value in found.items()} | chosen_for

    def _clip(self) -> float:
        """The most that an input may be clipped, so that it costs the float network a part of the tolerance at most."""
        if self.lowered.prepare is not None or self.lowered.before:
            return 0.0
        for percent in CLIPS:
            beyond = np.percentile(self.images, [percent, 50.0, 100 - percent], axis=(0, *range(2, self.images.ndim)))
            low, middle, high = (edge.reshape(1, -1, 1, 1) for edge in beyond)
            if self.aim.against != IDEAL:  # in balance, a range lies about the median
                reach = np.maximum(high - middle, middle - low)
                low, high = middle - reach, middle + reach
            clipped = np.clip(self.judge.images, low, high).astype(self.judge.images.dtype)
            cost = self.judge.error(Judge.of(self.network, clipped).scores)
            if cost <= (self.aim.within or 1.0) / 100 / CLIP_SHARE:
                return percent
        return 0.0

    def _noise(self, done: Compilation) -> dict[str, float]:
        """What each layer adds, as a share of its signal: what its states lose beyond what they were given, and dies."""
        analog, lost, added = Analog.preset(self.aim.against), {INPUT: 0.0}, dict.fromkeys(self.names, 0.0)
        for quant in done.quantised.layers:
            layer = quant.layer
            if layer.digit:
                continue
            mine = 10.0 ** (-quant.sqnr_db / 10)
            before = max(lost.get(stack, 0.0) for stack in layer.reads if stack != layer.stack)
            lost[layer.stack] = max(mine, lost.get(layer.stack, 0.0))
            share = max(0.0, mine - before) + drawn_noise(quant, done.calibration, done.options, analog)
            added[layer.origin] = max(added[layer.origin], share)
        return added


def drawn_noise(quant: QuantLayer, calibration: Calibration, options: CompileOptions, analog: Analog) -> float:
    """What dies of a preset add to a layer's maps where they do not saturate, as a share of their variance."""
    layer, spec = quant.layer, options.chip
    levels = codes.state_converter(spec).values(np.arange(1 << spec.state_bits))
    lsb_o = codes.full_scales(spec)[quant.scale_codes_o] / (1 << spec.state_bits)
    weights = [quant.weights_ot, quant.constants_oc, quant.unit_weights_ou]
    synapses_o = np.sum([(part != 0).sum(axis=1) for part in weights], axis=0)
    squares_o = np.sum([(part * part).sum(axis=1) for part in weights], axis=0)
    power = float((levels * levels).mean())  # of a state
    wire = analog.wire_noise_products**2 * synapses_o / SYNAPSES_OF_WIRE_NOISE
    static = power * (analog.synapse_gain_mismatch**2 * squares_o + (analog.dac_inl_lsb / 2) ** 2 * synapses_o)
    finest_lsb_o = lsb_o / (8.0 if not options.overlap else 4.0) ** (layer.digits - 1)
    converter = (analog.adc_noise_lsb**2 + analog.thermal_noise_lsb**2 + analog.adc_threshold_offset_lsb**2) * finest_lsb_o**2
    gain_o = quant.meaning.gain_m / lsb_o  # of the map's value, for one weight LSB x state LSB
    noise = float(((wire + static + converter) * gain_o * gain_o).sum()) / layer.copies
    outputs = calibration.maps[layer.name].outputs
    signal = float(outputs.var(axis=(0, 2, 3)).sum())
    return noise * (1.0 - quant.saturated_share) / signal if signal else 0.0


def _stepping(lowered: Lowered, options: CompileOptions) -> set[str]:
    """The layers whose sums come in parts, or that are a maximum."""
    parts = split(widened(lowered, options), options)
    return {layer.origin for layer in parts.layers if layer.partial or layer.on_states}


def _given(lowered: Lowered) -> Iterable[tuple[str, tuple[ChipLayer, ...]]]:
    """What the host writes, the image first, and the layers that read it."""
    yield INPUT, lowered.readers(INPUT)
    for member in lowered.members:
        for step in member.steps:
            for one in step.writings if isinstance(step, HostStage) else ():
                yield member.prefix + one.output, lowered.readers(one.stack)


def _plain(value: Any) -> Any:
    """One number where all layers have the same."""
    if isinstance(value, dict) and len(set(value.values())) == 1:
        return next(iter(value.values()))
    return value
