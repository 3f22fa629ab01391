"""Pass 1, check: a network becomes chip layers and what the host does between them, or is refused with every reason.

The host prepares the image, layers run on the chip, what the chip cannot do is a round of the host, and a tail on the
host ends it.
"""

from anna.base.errors import CompileError
from anna.compiler.cut import cut
from anna.compiler.ir import Lowered, Member
from anna.compiler.lower import Lowering, lower
from anna.compiler.nodes import Nodes
from anna.compiler.options import CompileOptions
from anna.compiler.split import BIAS_COLUMNS
from anna.network.graph import Graph, Layer, Network


def check(network: Network, options: CompileOptions) -> Lowered:
    """The lowered network; raises CompileError with all reasons at once."""
    reasons: list[str] = []
    spec = options.chip
    if spec.weight_levels != "mid-tread":
        reasons.append(
            f"chip: {spec.weight_levels} weights have no exact zero, so unused synapses would carry current; "
            "choose weight_levels mid-tread"
        )
    if spec.columns not in spec.fan_ins:
        reasons.append(
            f"chip: no neuron reads exactly one row of {spec.columns} columns (fan-ins {', '.join(map(str, spec.fan_ins))}); "
            f"add {spec.columns} to fan_ins"
        )
    if spec.columns <= BIAS_COLUMNS:
        reasons.append(
            f"chip: a row of columns {spec.columns} has no room beside the {BIAS_COLUMNS} constants that carry a bias; "
            f"choose columns of at least {BIAS_COLUMNS + 1}"
        )
    if spec.state_bits == 1 and spec.state_levels == "mid-tread":
        reasons.append(
            "chip: state_bits 1 and state_levels mid-tread leave the states -1 and 0, of which no constant can carry a bias; "
            "choose state_bits of at least 2 or state_levels mid-rise"
        )
    first = network.members[0].prepare
    members, before, shape = list[Member](), tuple[Layer, ...](), network.input_shape
    for member in network.members:
        if repr(member.prepare) != repr(first):
            reasons.append(f"{member.name}: prepares its image differently from {network.members[0].name}; expected the same")
        prefix = "" if isinstance(network, Graph) else f"{member.name}."
        done = _lowered(member, prefix, options, reasons)
        if done is not None:
            members.append(Member(prefix, member, done.steps, done.tail, done.input_scale_m, done.input_offset_m))
            before, shape = done.before, done.input_shape
    if reasons:
        raise CompileError(reasons)
    return Lowered(network, first, shape, tuple(members), before=before)


def _lowered(graph: Graph, prefix: str, options: CompileOptions, reasons: list[str]) -> Lowering | None:
    nodes = Nodes.of(graph)
    if not nodes.nodes:
        reasons.append(f"{graph.name}: has no layers after its preparation; expected at least one for the chip")
        return None
    chosen = cut(graph.name, nodes, options, reasons)
    if chosen is None:
        return None
    shape = graph.input_shape if graph.prepare is None else graph.prepare.output_shape(graph.input_shape)
    return lower(chosen, shape, prefix)
