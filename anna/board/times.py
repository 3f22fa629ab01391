"""How long a machine takes for an image: chip and host one after the other, or each at an image of its own.

Under a sequencer the host works on one image while the chips work on the next: an image waits for both, and the slower of
the two sets the pace. Where the host issues the chips' instructions it can do one or the other: both times add.
"""

from dataclasses import dataclass

from anna.chip.machines import Machine


@dataclass(frozen=True)
class Times:
    """What one image takes on a machine."""

    machine: Machine
    cycles_per_image: float  # of one chip, with the image's share of page loads
    host_multiply_adds: int

    @property
    def chip_us(self) -> float:
        """One image on one chip."""
        return self.cycles_per_image * 1e6 / self.machine.chip.clock_hz

    @property
    def host_us(self) -> float | None:
        """The host's float layers; None if its speed is not known."""
        rate = self.machine.host_multiply_adds_per_s
        if not self.host_multiply_adds:
            return 0.0
        return None if rate is None else self.host_multiply_adds * 1e6 / rate

    @property
    def latency_us(self) -> float | None:
        """One image from beginning to end."""
        return None if self.host_us is None else self.chip_us + self.host_us

    @property
    def images_per_s(self) -> float:
        """The pace of the machine in steady state; of its chips alone if the host's speed is not known."""
        chips_us, host_us = self.chip_us / self.machine.chips, self.host_us or 0.0
        return 1e6 / (chips_us + host_us if self.machine.host_issues else max(chips_us, host_us))

    @property
    def binds(self) -> str:
        """Chip or host: which takes longer for its part."""
        return "host" if (self.host_us or 0.0) > self.chip_us / self.machine.chips else "chip"
