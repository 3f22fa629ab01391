"""The chip that a user runs programs on: `Chip(seed=..., analog=...).run(program, images)`."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from anna.analog.die import Die
from anna.analog.faults import Faults
from anna.analog.parameters import Analog
from anna.analog.silicon import IdealSilicon, Silicon
from anna.base.errors import DataError, MachineError
from anna.base.integers import LARGEST_SEED, checked_integer
from anna.base.renamed import in_new_names, renamed, warn
from anna.base.threads import worker_count
from anna.chip import codes
from anna.chip.spec import ANNA_1991, ChipSpec
from anna.machine.inputs import Prepare, checked_codes, checked_images, expect_program
from anna.machine.interpreter import interpret
from anna.program.file import Program, Region
from anna.sequencer.charge import moment
from anna.sequencer.rules import verified
from anna.sequencer.timeline import Timeline

if TYPE_CHECKING:
    from anna.machine.stages import Staged

PREPARED_PROGRAMS = 8  # engines that a chip caches


@dataclass(frozen=True, eq=False)
class Result:
    """What a run gave, and how long the chip took."""

    program: Program
    timeline: Timeline
    codes: Mapping[str, NDArray[np.generic]]  # output region -> (images, *shape) state codes
    maps: Mapping[str, NDArray[np.generic]]  # the same for tapped maps
    noise_seed: int
    threads: int = 1  # for the host's float layers

    @property
    def images(self) -> int:
        """Number of images."""
        return len(next(iter(self.codes.values()))) if self.codes else 0

    @property
    def outputs(self) -> dict[str, NDArray[np.float64]]:
        """The outputs as values, in state LSB."""
        return {name: self._values(part) for name, part in self.codes.items()}

    @property
    def map_values(self) -> dict[str, NDArray[np.float64]]:
        """The tapped maps as values, in state LSB."""
        return {name: self._values(part) for name, part in self.maps.items()}

    @property
    def board_images_per_s(self) -> float:
        """Images per second of the whole board in steady state: the host works on one while the chip works on the next."""
        if not self.program.report:
            raise MachineError(f"program {self.program.name} has no board: it was not compiled from a network")
        return float(self.program.report["board_images_per_s"])

    @property
    def scores(self) -> NDArray[np.float32]:
        """Scores (images, classes) of a compiled network, after the host's float layers; (images, classes, rows, columns)
        if the network slides."""
        return next(iter(self.results.values()))

    @cached_property
    def results(self) -> dict[str, NDArray[np.float32]]:
        """What a compiled network gives, by name: its scores first, then its other outputs, in the same form."""
        if self.program.host is None or not self.program.host.tails:
            raise MachineError(f"program {self.program.name} has no scores: it was not compiled from a network")
        return self.program.host.results(self.program.spec, self.codes, self.threads)

    def error(self, labels: ArrayLike) -> float:
        """Share of the images whose label is wrong, given the right ones."""
        right = np.asarray(labels)
        if right.shape != self.labels.shape:
            raise DataError(f"labels have shape {right.shape}; expected {self.labels.shape}, one per image")
        if not self.images:
            raise DataError("no images were run, so there is no error rate")
        return int((self.labels != right).sum()) / self.labels.size

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class with the highest score; the lowest class of a tie."""
        labels: NDArray[np.int64] = np.argmax(self.scores, axis=1)
        return labels

    def _values(self, part: NDArray[np.generic]) -> NDArray[np.float64]:
        return codes.state_converter(self.program.spec).values(part)

    @property
    def cycles_per_image(self) -> float:
        """Chip cycles per image at the program's batch size, page loads included."""
        return self.timeline.cycles_per_image

    @property
    def cycles(self) -> float:
        """Chip cycles of the whole run."""
        return self.cycles_per_image * self.images

    @property
    def seconds(self) -> float:
        """Chip time of the whole run."""
        return self.cycles / self.program.spec.clock_hz

    @property
    def schedule(self) -> Timeline:
        """The old name of `timeline`."""
        warn("Result.schedule", "Result.timeline")
        return self.timeline

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {part.shape}" for name, part in self.codes.items())
        return f"Result({self.program.name}: {self.images} images, {self.cycles_per_image:g} cycles each; {shapes})"


class Chip:
    """One die. Without arguments it is the ideal chip.

    `seed` draws a die with the imperfections of `analog`, a record or the name of a preset (default: typical); `faults` are
    what is broken on it. A `die` drawn or loaded before is used as it is. The die is drawn when the first program tells
    which chip it is for, and stays the same after that.
    """

    def __init__(
        self,
        *,
        seed: int | None = None,
        analog: Analog | str | None = None,
        faults: Faults | None = None,
        die: Die | None = None,
        silicon: Silicon | None = None,
        chip_on_board: int = 0,
    ) -> None:
        given = [name for name, value in (("silicon", silicon), ("die", die)) if value is not None]
        drawn = [name for name, value in (("seed", seed), ("analog", analog), ("faults", faults)) if value is not None]
        if given and (drawn or len(given) > 1):
            raise MachineError(f"pass either {given[0]} or {(drawn or given[1:])[0]} to a chip, not both")
        if isinstance(analog, str):
            analog = Analog.preset(analog)
        for name, value, kind in (("analog", analog, Analog), ("faults", faults, Faults), ("die", die, Die)):
            if not isinstance(value, kind | None):
                raise MachineError(f"{name} is {value!r}; expected an anna.{kind.__name__}")
        seed = None if seed is None else checked_integer("the chip's seed", seed, 0, LARGEST_SEED)
        chip_on_board = checked_integer("chip_on_board", chip_on_board)
        if seed is None and analog is not None and not analog.is_ideal:
            raise MachineError("a chip with imperfections is drawn from a seed: Chip(seed=0, analog=...)")
        if seed is not None and analog is None:
            analog = Analog.typical()
        self.seed = die.seed if die is not None else seed
        self.analog = die.analog if die is not None else analog or Analog.ideal()
        self.faults = die.faults if die is not None else faults or Faults()
        self.chip_on_board = die.chip_on_board if die is not None else chip_on_board
        if die is not None:
            silicon = die.electronics
        self._silicon = silicon
        self._drawn = dict[ChipSpec, Die]() if die is None else {die.spec: die}
        self._ideal = not drawn and not given
        self._ready: OrderedDict[tuple[object, ...], Staged] = OrderedDict()

    def __repr__(self) -> str:
        if self._silicon is not None and not self._drawn:
            return f"Chip({type(self._silicon).__name__})"
        seed = "" if self.seed is None else f"seed {self.seed}, "
        return f"Chip({seed}{self.analog.kind}{', with faults' if self.faults != Faults() else ''})"

    def silicon(self, spec: ChipSpec) -> Silicon:
        """The electronics on which a program for `spec` runs."""
        if self._ideal:
            return IdealSilicon(spec)
        if self._silicon is None:
            return self.die(spec).electronics
        if self._silicon.spec != spec:
            raise MachineError("the program is for another chip: its specification is not this die's")
        return self._silicon

    def die(self, spec: ChipSpec = ANNA_1991) -> Die:
        """This chip's silicon as an object: its fixed pattern, to look at, save and share."""
        if spec not in self._drawn:
            if self._silicon is not None:
                raise MachineError("this chip's die is of another specification")
            self._drawn[spec] = Die.draw(spec, self.analog, self.seed or 0, self.chip_on_board, self.faults)
        return self._drawn[spec]

    @renamed(schedule="timeline")
    def run(
        self,
        program: Program,
        images: ArrayLike,
        *,
        noise_seed: int = 0,
        image_ids: ArrayLike | None = None,
        taps: Sequence[str] = (),
        phase_cycles: int = 0,
        slot: int | None = None,
        threads: int | None = None,
        lanes: int | None = None,
        simd: str | None = None,
        engine: str = "engine",
        timeline: Timeline | None = None,
    ) -> Result:
        """Run raw images, as the network of a compiled program takes them: grey levels (n, rows, columns) of uint8, or
        floats (n, maps, rows, columns). They are turned into state codes piece by piece.

        Of the options, only `noise_seed`, `image_ids` (default 0, 1, ...), `slot` (of the planned batch, default the last;
        `phase_cycles` on a wide chip) change the result. `threads`
        defaults to all cores. Pass a `timeline` of this program to save making it again.
        """
        expect_program(program)
        found, prepare = checked_images(program, images)
        options = _Options(noise_seed, image_ids, taps, phase_cycles, slot, threads, lanes, simd, engine, timeline)
        return self._run(program, found, prepare, options)

    @renamed(schedule="timeline")
    def run_codes(
        self,
        program: Program,
        codes: ArrayLike,
        *,
        noise_seed: int = 0,
        image_ids: ArrayLike | None = None,
        taps: Sequence[str] = (),
        phase_cycles: int = 0,
        slot: int | None = None,
        threads: int | None = None,
        lanes: int | None = None,
        simd: str | None = None,
        engine: str = "engine",
        timeline: Timeline | None = None,
    ) -> Result:
        """Run images given as state codes, (n, *input shape); options as in `run`."""
        expect_program(program)
        options = _Options(noise_seed, image_ids, taps, phase_cycles, slot, threads, lanes, simd, engine, timeline)
        return self._run(program, checked_codes(program, codes), None, options)

    def _run(self, program: Program, images: NDArray[Any], prepare: Prepare | None, options: "_Options") -> Result:
        ids, count = _checked_ids(options.image_ids, len(images)), len(images)
        wanted = [*program.outputs, *_tapped(program, options.taps)]
        noise_seed = checked_integer("the noise seed", options.noise_seed, 0, LARGEST_SEED)
        phase_cycles = checked_integer("phase_cycles", options.phase_cycles)
        slot = None if options.slot is None else checked_integer("slot", options.slot)
        when = moment(program.spec, program.batch, phase_cycles, slot)
        threads, lanes = worker_count(options.threads), options.lanes
        lanes = None if lanes is None else checked_integer("lanes", lanes, 1)
        if options.engine == "interpreter":
            timeline = options.timeline or verified(program)
            states = images if prepare is None else prepare(images).reshape(count, *program.input.shape)
            rows = self._interpret(program, states, ids, wanted, noise_seed, when)
        elif options.engine == "engine":
            ready = self._prepared(program, wanted, when, options.simd, options.timeline)
            timeline = ready.timeline
            given = images if prepare is not None else images.reshape(count, program.input.size)
            key = self.silicon(program.spec).noise_key(noise_seed)
            rows = ready.run(given, ids, noise_seed=key, threads=threads, lanes=lanes, prepare=prepare)
        else:
            raise MachineError(f"there is no engine {options.engine!r}; expected 'engine' or 'interpreter'")
        parts, at = dict[str, NDArray[np.generic]](), 0
        for region in wanted:
            parts[region.name] = rows[:, at : at + region.size].reshape(count, *region.shape)
            at += region.size
        outputs = {region.name: parts[region.name] for region in program.outputs}
        maps = {name: parts[name] for name in options.taps}
        return Result(program, timeline, outputs, maps, noise_seed, threads)

    def engine(
        self,
        program: Program,
        *,
        taps: Sequence[str] = (),
        phase_cycles: int = 0,
        slot: int | None = None,
        simd: str | None = None,
    ) -> "Staged":
        """The engine prepared for this program on this die, with what it counted and proved."""
        expect_program(program)
        wanted = [*program.outputs, *_tapped(program, taps)]
        when = moment(program.spec, program.batch, phase_cycles, slot)
        return self._prepared(program, wanted, when, simd, None)

    def _prepared(
        self,
        program: Program,
        wanted: Sequence[Region],
        when: int,
        simd: str | None,
        timeline: Timeline | None,
    ) -> "Staged":
        from anna.machine.stages import Staged

        key = (program.digest, tuple(region.name for region in wanted), when, simd)
        if key not in self._ready:
            timeline = timeline or verified(program)
            values = [timeline.outputs[region.name] for region in wanted]
            self._ready[key] = Staged(timeline, self.silicon(program.spec), values, when, simd=simd)
            while len(self._ready) > PREPARED_PROGRAMS:
                self._ready.popitem(last=False)
        self._ready.move_to_end(key)
        return self._ready[key]

    def _interpret(
        self, program: Program, states: NDArray[np.generic], ids: NDArray[np.uint64], wanted: Sequence[Region],
        noise_seed: int, when: int,
    ) -> NDArray[np.generic]:  # fmt: skip
        silicon, rows = self.silicon(program.spec), []
        for state, image_id in zip(states, ids.tolist(), strict=True):
            which = {"phase_cycles" if program.spec.wide else "slot": when}
            done = interpret(program, state, silicon, noise_seed=noise_seed, image_id=image_id, **which)
            rows.append(np.concatenate([done[region.name].reshape(-1) for region in wanted] or [np.zeros(0, np.int64)]))
        width = sum(region.size for region in wanted)
        return np.array(rows, dtype=np.uint16).reshape(len(states), width)


@dataclass(frozen=True)
class _Options:
    """The options that `run` and `run_codes` share."""

    noise_seed: int
    image_ids: ArrayLike | None
    taps: Sequence[str]
    phase_cycles: int
    slot: int | None
    threads: int | None
    lanes: int | None
    simd: str | None
    engine: str
    timeline: Timeline | None


def run_chips(
    chips: Iterable[Chip],
    program: Program,
    images: ArrayLike | None = None,
    *,
    codes: ArrayLike | None = None,
    threads: int | None = None,
    **options: Any,
) -> Iterator[Result]:
    """Run the same raw `images`, or the same state `codes`, on many chips and yield each result in turn; options as in
    `Chip.run`.

    The program is walked once for all chips. Each of several threads (default: all cores) takes a chip, so that as many
    chips run ahead of the result being read; with one thread a result is yielded before the next chip is drawn.
    """
    expect_program(program)
    if (images is None) == (codes is None):
        raise DataError("run_chips takes either images or codes=...")
    threads, options = worker_count(threads), in_new_names(options, {"schedule": "timeline"})
    timeline, waiting = options.pop("timeline", None) or verified(program), iter(chips)

    def run(chip: Chip, threads: int = 1) -> Result:
        if codes is not None:
            return chip.run_codes(program, codes, timeline=timeline, threads=threads, **options)
        assert images is not None
        return chip.run(program, images, timeline=timeline, threads=threads, **options)

    first = list(islice(waiting, threads))
    if len(first) <= 1:  # one chip at a time: the threads share its images
        yield from (run(chip, threads) for chip in chain(first, waiting))
        return
    with ThreadPoolExecutor(threads) as pool:
        running = deque(pool.submit(run, chip) for chip in first)
        try:
            while running:
                yield running.popleft().result()
                running.extend(pool.submit(run, chip) for chip in islice(waiting, 1))
        finally:  # a caller that stops reading, or is interrupted, waits only for chips that have begun
            pool.shutdown(wait=True, cancel_futures=True)


def _tapped(program: Program, taps: Sequence[str]) -> list[Region]:
    maps = {region.name: region for region in program.regions if region.kind in ("map", "host")}
    for name in taps:
        if name not in maps:
            raise MachineError(f"program {program.name} has no map {name}; it has {', '.join(maps) or 'none'}")
    return [maps[name] for name in taps]


def _checked_ids(image_ids: ArrayLike | None, images: int) -> NDArray[np.uint64]:
    ids = np.arange(images, dtype=np.uint64) if image_ids is None else np.asarray(image_ids)
    if ids.shape != (images,) or not np.issubdtype(ids.dtype, np.integer) or (ids.size and ids.min() < 0):
        raise DataError(f"image_ids must be {images} whole numbers, zero or more, one per image")
    return ids.astype(np.uint64)
