"""Machines: a chip, what issues its instructions, how many of it a board carries, and the host beside them.

sequencer    the published chip under a dedicated sequencer: what the chip itself can do
board-1991   the board of paper 3: its DSP issues the instructions and is the host as well
board-1996   the board of paper 6: two chips under an FPGA
wide         what-if: the chip with four shift stages that this model assumed before paper 3 could be read
"""

from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from anna.base.errors import SpecError, nearest
from anna.chip import facts
from anna.chip.refresh import NO_PERIOD
from anna.chip.spec import ALL_AT_ONCE, ANNA_1991, ANNA_WIDE, DEDICATED, DSP, ChipSpec, Record, Sequencer, known


class Machine(Record):
    """A chip, its sequencer, how many such chips work side by side, and their host."""

    called = "machine"

    name: str = Field(description="name", json_schema_extra={"unit": "text", "mark": "A", "source": "this model"})
    chip: ChipSpec = Field(
        default_factory=ChipSpec,
        description="each of its chips",
        json_schema_extra={"unit": "chip", "mark": "P", "source": "see ChipSpec"},
    )
    sequencer: Sequencer = Field(
        default_factory=lambda: Sequencer(),
        description="what issues the chips' instructions",
        json_schema_extra={"unit": "sequencer", "mark": "A", "source": "see Sequencer"},
    )
    chips: int = known(facts.BOARD_1991_CHIPS, "chips that work side by side", ge=1, le=1024)
    host_multiply_adds_per_s: float | None = known(
        facts.DSP_MULTIPLY_ADDS_PER_S, "speed of the host's float layers; None: not known", gt=0
    )
    host_issues: bool = known(facts.HOST_ISSUES, "whether the host issues the chips' instructions, so that they wait for it")

    @model_validator(mode="after")
    def _chip_under_its_sequencer(self) -> Self:
        if self.chip.wide and self.sequencer != ALL_AT_ONCE:
            raise ValueError(f"{self.name} has a wide chip, whose units run side by side; its sequencer must be ALL_AT_ONCE")
        if self.host_issues and self.chips > 1:
            raise ValueError(f"{self.name}: a host that issues the instructions drives one chip, got {self.chips}")
        return self

    def with_chip(self, chip: ChipSpec) -> "Machine":
        """The same with another chip; a wide chip comes with its own sequencer."""
        return self.changed(chip=chip, sequencer=ALL_AT_ONCE if chip.wide else self.sequencer)

    def with_fields(self, **fields: Any) -> "Machine":
        """The same with some fields of its chip changed; raises if a field means nothing there."""
        chip = self.chip.changed(**fields)
        if "refresh_overhead_cycles" in fields and not chip.wide:
            raise SpecError(f"chip: refresh_overhead_cycles: {NO_PERIOD}")
        return self.with_chip(chip)


MACHINES = {
    machine.name: machine
    for machine in (
        Machine(name="sequencer", chip=ANNA_1991, sequencer=DEDICATED),
        Machine(name="board-1991", chip=ANNA_1991, sequencer=DSP, host_issues=facts.BOARD_1991_HOST_ISSUES.value),
        Machine(
            name="board-1996",
            chip=ANNA_1991,
            sequencer=DEDICATED,
            chips=facts.BOARD_1996_CHIPS.value,
            host_multiply_adds_per_s=facts.BOARD_1996_HOST_MULTIPLY_ADDS_PER_S.value,
        ),
        Machine(name="wide", chip=ANNA_WIDE, sequencer=ALL_AT_ONCE),
    )
}
MachineName = Literal["sequencer", "board-1991", "board-1996", "wide"]
assert get_args(MachineName) == tuple(MACHINES)
DEFAULT: MachineName = "sequencer"  # the machine that is meant if none is named

# Boards in sweeps of version 0.1, whose chips were wide.
FormerBoardName = Literal["anna-board-1991", "anna-board-1996"]
FORMER_BOARDS: dict[str, MachineName] = dict.fromkeys(get_args(FormerBoardName), "wide")


def machine_named(name: str) -> Machine:
    """The machine of this name; raises if there is none."""
    if name not in MACHINES:
        raise SpecError(f"there is no machine {name!r}; expected {', '.join(MACHINES)}{nearest(name, MACHINES)}")
    return MACHINES[name]


__all__ = ["DEFAULT", "FORMER_BOARDS", "MACHINES", "FormerBoardName", "Machine", "MachineName", "machine_named"]
