"""Pass 6, schedule: page segment by page segment, as the scheduler of the kind of chip does it."""

from dataclasses import dataclass

from anna.chip.spec import ChipSpec, Sequencer
from anna.compiler import latch_schedule, register_schedule
from anna.compiler.memory import Memory
from anna.compiler.place import Placement
from anna.program import isa
from anna.program.isa import Op


@dataclass(frozen=True)
class LayerSpan:
    """The cycles of one scan, from its first SHIFT to its last OUT."""

    layer: str
    page: int
    first_cycle: int
    last_cycle: int


@dataclass(frozen=True, eq=False)
class Schedule:
    """The program's instructions, and when each scan runs."""

    ops: tuple[Op, ...]
    spans: tuple[LayerSpan, ...]
    segment_cycles: tuple[int, ...]

    @property
    def text(self) -> str:
        """The canonical text."""
        lines = [f"{len(self.ops)} instructions, cycles of each page segment: {' '.join(map(str, self.segment_cycles))}"]
        lines += [f"  page {s.page} cycles {s.first_cycle} to {s.last_cycle}: {s.layer}" for s in self.spans]
        return "\n".join(lines)


def schedule(placement: Placement, memory: Memory, spec: ChipSpec, sequencer: Sequencer) -> Schedule:
    """Schedule all scans, page segment by page segment."""
    ops: list[Op] = []
    spans: list[LayerSpan] = []
    cycles: list[int] = []
    for page in range(placement.pages):
        chosen = [(placed, base) for placed, base in zip(placement.scans, memory.unit_biases, strict=True)
                  if placed.page == page]  # fmt: skip
        segment = (
            register_schedule.schedule_segment(spec, memory, chosen)
            if spec.wide
            else latch_schedule.schedule_segment(spec, sequencer, memory, chosen)
        )
        ops += [isa.of(spec).op("PAGE", page=page), *segment.ops]
        spans += [LayerSpan(placed.scan.layer.name, page, *segment.spans[k]) for k, (placed, _) in enumerate(chosen)]
        cycles.append(segment.cycles)
    return Schedule((*ops, isa.stop(spec)), tuple(spans), tuple(cycles))
