"""A program with rounds of the host on the engine: a stage for each round, and one for what leaves at the end.

A stage is the slice of the timeline on which its reads depend. What the host wrote before is given to it beside the image, so a
CALC of an earlier segment is computed again only where a later stage still needs it; its bits are the same, since noise is a
function of image, instruction and neuron.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anna.analog.silicon import Silicon
from anna.base.threads import share
from anna.engine.building import build_workload
from anna.engine.core import Engine
from anna.machine.inputs import Prepare
from anna.sequencer.timeline import Ints, Timeline

PIECE_BYTES = 1 << 26  # of the states that are given, of the images that are run together
PREPARED_AT_ONCE = 256  # images that a thread turns into codes


class Staged:
    """A program prepared for a piece of silicon: engines that run one after the other, the host between them."""

    def __init__(
        self,
        timeline: Timeline,
        silicon: Silicon,
        wanted: Sequence[Ints],
        moment: int,
        *,
        simd: str | None = None,
        kernel: str | None = None,
        keep: bool = False,
    ) -> None:
        """`wanted` are the values to read at the end; `keep` as in `build_workload`."""
        self.timeline = timeline

        def engine(values: Sequence[Ints], keep: bool = False) -> Engine:
            return Engine(build_workload(timeline, silicon, values, moment, keep), simd=simd, kernel=kernel)

        self.rounds = tuple(engine(tuple(one.reads.values())) for one in timeline.exchanges)
        self.last = engine(wanted, keep)
        self.stages = (*self.rounds, self.last)

    @property
    def kernel(self) -> str:
        """The kernels that the stages run on."""
        return ", ".join(dict.fromkeys(stage.kernel for stage in self.stages))

    @property
    def useful_macs(self) -> int:
        """Nonzero weights of all stages, see `Engine`."""
        return sum(stage.useful_macs for stage in self.stages)

    @property
    def padded_macs(self) -> int:
        """Multiply-adds executed per image in all stages."""
        return sum(stage.padded_macs for stage in self.stages)

    def run(
        self,
        images: NDArray[Any],
        ids: NDArray[np.uint64],
        *,
        noise_seed: int = 0,
        threads: int = 1,
        lanes: int | None = None,
        prepare: Prepare | None = None,
    ) -> NDArray[Any]:
        """The codes of the regions that are wanted, one row per image, as `Engine.run` gives them."""
        if not self.rounds:
            return self.last.run(images, ids, noise_seed=noise_seed, threads=threads, lanes=lanes, prepare=prepare)
        step, rows = max(1, PIECE_BYTES // self.timeline.values.given), []
        for start in range(0, max(1, len(images)), step):
            some, mine = images[start : start + step], ids[start : start + step]
            given = self._given(some, prepare, threads)
            for number, stage in enumerate(self.rounds):
                read = stage.run(given, mine, noise_seed=noise_seed, threads=threads, lanes=lanes)
                self._write(number, given, read, threads)
            rows.append(self.last.run(given, mine, noise_seed=noise_seed, threads=threads, lanes=lanes))
        return np.concatenate(rows)

    def _given(self, images: NDArray[Any], prepare: Prepare | None, threads: int) -> NDArray[Any]:
        """The states that come from outside the chip, (images, values): those of the images, and room for the host's."""
        inputs, levels = self.timeline.values.inputs, 1 << self.timeline.spec.state_bits
        given = np.zeros((len(images), self.timeline.values.given), np.uint8 if levels <= 256 else np.uint16)

        def fill(start: int) -> None:
            some = images[start : start + PREPARED_AT_ONCE]
            given[start : start + len(some), :inputs] = some if prepare is None else prepare(some)

        share(fill, range(0, len(images), PREPARED_AT_ONCE), threads)
        return given

    def _write(self, number: int, given: NDArray[Any], read: NDArray[Any], threads: int) -> None:
        """What the host makes of what a round reads, put among the states that are given."""
        one, exchange = self.timeline.program.rounds[number], self.timeline.exchanges[number]
        ends = np.cumsum([values.size for values in exchange.reads.values()])[:-1].tolist()
        columns = np.split(read, ends, axis=1)
        states = {
            name: part.reshape(len(read), *values.shape)
            for (name, values), part in zip(exchange.reads.items(), columns, strict=True)
        }
        for name, codes in one.codes(self.timeline.spec, states, threads).items():
            where = exchange.writes[name].reshape(-1)
            given[:, where] = codes.reshape(len(codes), where.size)
