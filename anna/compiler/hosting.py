"""The host's part of a program: what its stages are once it is known what states stand for."""

from collections.abc import Callable, Mapping, Sequence

from anna.board.host import HostRound, HostWork, HostWriting
from anna.board.host_part import HostPart, HostReading
from anna.compiler.ir import HostStage
from anna.compiler.quantised import Meaning, QuantGraph
from anna.network.parts import Shape


def part_of(stage: HostStage, shapes: Mapping[str, Shape], meaning_of: Callable[[str], Meaning]) -> HostPart:
    """The float layers of a stage, and what the states that they read stand for."""
    stack = stage.readings[0].stack
    if len(stage.readings) == 1 and not stage.links and not stage.outputs and stack not in {one.name for one in stage.layers}:
        return HostPart.chain(stack, shapes[stack], meaning_of(stack).gain_m, meaning_of(stack).offset_m, stage.layers)
    readings = []
    for name, stack, maps in stage.readings:
        assert not maps, f"{name}: maps are picked by a layer of the host's"
        readings.append(HostReading(name, stack, shapes[stack], meaning_of(stack).gain_m, meaning_of(stack).offset_m))
    return HostPart(tuple(readings), stage.layers, stage.links, stage.ends)


def round_of(
    stage: HostStage, shapes: Mapping[str, Shape], meaning_of: Callable[[str], Meaning], segment: int = 0
) -> HostRound:
    """A stage that goes on to the chip."""
    writings = [HostWriting(one.output, one.stack, meant.gain_m, meant.offset_m, meant.digits)
                for one in stage.writings for meant in [meaning_of(one.stack)]]  # fmt: skip
    return HostRound(segment, part_of(stage, shapes, meaning_of), tuple(writings))


def host_work(graph: QuantGraph, segments: Sequence[int]) -> HostWork:
    """All that the host does; `segments` are those before which its stages run."""
    lowered, shapes = graph.lowered, graph.lowered.stacks
    tails = [part_of(member.tail, shapes, graph.meaning_of) for member in lowered.members]
    stages = [step for step in lowered.steps if isinstance(step, HostStage)]
    rounds = [round_of(stage, shapes, graph.meaning_of, segment) for stage, segment in zip(stages, segments, strict=True)]
    meant, network = graph.input_meaning, lowered.network
    image = network.input_shape if lowered.before and lowered.prepare is None else None
    return HostWork(lowered.prepare, meant.gain_m, meant.offset_m, tuple(tails), network.data, meant.digits, tuple(rounds),
                    lowered.before, image)  # fmt: skip
