"""How long a machine takes for an image: chip and host one after the other, or each at an image of its own.

Under a sequencer the host works on the tail of one image while the chips work on the next: an image waits for both, and the
slower of the two sets the pace. Where the host issues the chips' instructions it can do one or the other: both times add. In a
round of the host between page segments its chip waits, on every machine.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from anna.board.host import HostRound
from anna.board.operations import instructions, round_operations
from anna.chip.machines import Machine


def round_us(machine: Machine, one: HostRound) -> float | None:
    """A round for one image: the host's instructions, and the words of states over its bus; None if its speed is not known."""
    rate, bus = machine.host_multiply_adds_per_s, machine.sequencer.bytes_per_s
    if rate is None:
        return None
    moved_bytes = (one.states_read + one.states_written) * machine.chip.state_bits / 8
    return 1e6 * (instructions(round_operations(one)) / rate + (0.0 if bus is None else moved_bytes / bus))


def rounds_us(machine: Machine, rounds: Iterable[HostRound]) -> float | None:
    """All rounds for one image."""
    found = [round_us(machine, one) for one in rounds]
    known = [us for us in found if us is not None]
    return sum(known) if len(known) == len(found) else None


@dataclass(frozen=True)
class Times:
    """What one image takes on a machine."""

    machine: Machine
    cycles_per_image: float  # of one chip, with the image's share of page loads
    host_multiply_adds: int  # of the layers before and behind the chip
    rounds_us: float | None = 0.0  # of the host, in which the chip waits; None: not known

    @property
    def chip_us(self) -> float:
        """One image on one chip."""
        return self.cycles_per_image * 1e6 / self.machine.chip.clock_hz

    @property
    def tail_us(self) -> float | None:
        """The host's float layers before and behind the chip; None if its speed is not known."""
        rate = self.machine.host_multiply_adds_per_s
        if not self.host_multiply_adds:
            return 0.0
        return None if rate is None else self.host_multiply_adds * 1e6 / rate

    @property
    def host_us(self) -> float | None:
        """Everything that the host does; None if its speed is not known."""
        return None if self.tail_us is None or self.rounds_us is None else self.tail_us + self.rounds_us

    @property
    def latency_us(self) -> float | None:
        """One image from beginning to end."""
        return None if self.host_us is None else self.chip_us + self.host_us

    @property
    def images_per_s(self) -> float:
        """The pace of the machine in steady state; of its chips alone if the host's speed is not known."""
        chips_us, host_us = self._parts_us
        return 1e6 / (chips_us + (self.tail_us or 0.0) if self.machine.host_issues else max(chips_us, host_us))

    @property
    def binds(self) -> str:
        """Chip or host: which takes longer for its part."""
        return "host" if (self.host_us or 0.0) > self.chip_us / self.machine.chips else "chip"

    @property
    def _parts_us(self) -> tuple[float, float]:
        """How long an image keeps the chips, waiting included, and the host."""
        return (self.chip_us + (self.rounds_us or 0.0)) / self.machine.chips, self.host_us or 0.0
