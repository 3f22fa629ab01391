"""What to do about operations that have no layer; each is named once, however often the file has it."""

from collections.abc import Iterable, Set

from anna.importers.onnx_file import Node

_FLOAT = "export the float network, before it is quantised, or with QuantizeLinear and DequantizeLinear"
_RECURRENT = "the compiler takes networks that run forward only: convolutions, full connections and what joins them"
_CONTROL = "export the network with one path, without conditions and loops"
_ATTENTION = "the compiler takes products with constant weights only"
RECURRENT = ("GRU", "LSTM", "RNN", "Loop", "Scan")  # named first: no other change would help

WAYS_OUT = {
    **dict.fromkeys(("DynamicQuantizeLinear", "ConvInteger", "MatMulInteger"), _FLOAT),
    **dict.fromkeys(RECURRENT, _RECURRENT),
    **dict.fromkeys(("Attention", "Einsum", "FlexAttention", "RotaryEmbedding"), _ATTENTION),
    **dict.fromkeys(("If", "SequenceMap", "Where"), _CONTROL),
    "LRN": "use BatchNormalization, which folds into the weights",
    "ArgMax": "end the network with its scores; anna makes labels of them",
    "StatefulPartitionedCall": "TensorFlow's converter left it out: export with another back end or without groups",
}  # fmt: skip
OTHERWISE = "replace it before exporting; docs/import.md lists what is supported"


def no_layers(nodes: Iterable[Node], known: Set[str]) -> list[str]:
    """Why operations cannot be read, and the way out: one reason for each operation, recurrent ones first."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        if node.op not in known:
            found.setdefault(node.op, []).append(node.name)
    reasons = []
    for op in sorted(found, key=lambda op: op not in RECURRENT):  # else in the order of the file
        names = found[op]
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        reasons.append(f"{names[0]}{more}: has no layer for the operation {op}; {WAYS_OUT.get(op, OTHERWISE)}")
    return reasons


def recurrent_module(name: str, kind: str) -> str:
    """Why a recurrent part of a PyTorch or Keras model cannot run."""
    return f"{name}: is a recurrent layer, {kind}; {_RECURRENT}"
