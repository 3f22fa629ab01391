"""Pass 6, schedule: page segment by page segment, as the scheduler of the kind of chip does it."""

from dataclasses import dataclass
from itertools import groupby

from anna.chip.spec import ChipSpec, Sequencer
from anna.compiler.latch_schedule import LatchScheduler
from anna.compiler.memory import Memory
from anna.compiler.place import Placement
from anna.compiler.register_schedule import RegisterScheduler
from anna.program import isa
from anna.program.issued import Issued


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

    issued: Issued
    spans: tuple[LayerSpan, ...]
    segment_cycles: tuple[int, ...]

    @property
    def text(self) -> str:
        """The canonical text."""
        lines = [f"{len(self.issued)} instructions, cycles of each page segment: {' '.join(map(str, self.segment_cycles))}"]
        lines += [f"  page {s.page} cycles {s.first_cycle} to {s.last_cycle}: {s.layer}" for s in self.spans]
        return "\n".join(lines)


def schedule(placement: Placement, memory: Memory, spec: ChipSpec, sequencer: Sequencer) -> Schedule:
    """Schedule all scans, page segment by page segment."""
    op, parts, spans, cycles = isa.of(spec).op, list[Issued](), list[LayerSpan](), list[int]()
    scheduler = RegisterScheduler(spec, memory) if spec.wide else LatchScheduler(spec, sequencer, memory)
    scans = zip(placement.scans, memory.unit_biases, strict=True)
    for page, grouped in groupby(scans, key=lambda one: one[0].page):
        chosen = list(grouped)
        segment = scheduler.segment(chosen)
        parts += [Issued.of_ops([op("PAGE", page=page)]), segment.issued]
        spans += [LayerSpan(placed.scan.layer.name, page, *segment.spans[k]) for k, (placed, _) in enumerate(chosen)]
        cycles.append(segment.cycles)
    return Schedule(Issued.joined([*parts, Issued.of_ops([isa.stop(spec)])]), tuple(spans), tuple(cycles))
