"""What every script here does with a file: no traces of the machine in it, and ONNX Runtime's scores beside it."""

from pathlib import Path

import numpy as np
from small_digits import other_digits

HOME = Path(__file__).parent
PICTURES = 20


def cleaned(path: Path) -> None:
    """Take out where on the disk the exporter's user kept the sources."""
    import onnx

    model = onnx.load(str(path), load_external_data=False)
    del model.metadata_props[:]
    model.doc_string = ""
    for value in (*model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info):
        value.doc_string = ""
        del value.metadata_props[:]
    onnx.save(model, str(path))


def scores(path: Path) -> np.ndarray:
    """What ONNX Runtime makes of the first digits of the hold-out."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    wanted = session.get_inputs()[0]
    pictures = other_digits(PICTURES)[0].reshape(PICTURES, *wanted.shape[1:])
    at_once = wanted.shape[0] if isinstance(wanted.shape[0], int) else PICTURES
    parts = [session.run(None, {wanted.name: pictures[k : k + at_once]})[0] for k in range(0, PICTURES, at_once)]
    return np.concatenate(parts)


def store(tool: str) -> None:
    """Clean all files of a tool and keep their scores."""
    paths = sorted(HOME.glob(f"{tool}_*.onnx"))
    for path in paths:
        cleaned(path)
    np.savez_compressed(HOME / f"{tool}.npz", **{path.stem: scores(path) for path in paths})
    print("\n".join(f"{path.stat().st_size:6d} bytes  {path.name}" for path in paths))
