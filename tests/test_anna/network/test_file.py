"""The network file: an exact round trip, equal bytes for equal networks, damaged files refused."""

import contextlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from anna.base.errors import FileError
from anna.network.file import KEY, graph_bytes, load_graph, save_network
from anna.network.graph import (
    Activation,
    Affine,
    Convolution,
    Ensemble,
    FullConnection,
    Graph,
    Pool,
    Prepare,
    Rbf,
    Softmax,
    Subsample,
)


def example(seed=0, dtype=np.float32):
    rng = np.random.Generator(np.random.PCG64(seed))

    def draw(*shape):
        return rng.standard_normal(shape).astype(dtype)

    table = np.array([[1, 0], [0, 1], [1, 1]], bool)
    return Graph(
        "every kind",
        (1, 9, 9),
        (
            Prepare((9, 9), crop=(8, 8), resize=(6, 6), field=(8, 8), low=-0.1, high=1.175),
            Convolution("c", draw(2, 1, 3, 3), draw(2, 4, 4), stride=(2, 2), padding=(1, 0, 1, 0), padding_value=-1.0),
            Convolution(
                "d",
                draw(3, 2, 1, 1) * table[:, :, None, None],
                draw(3),
                table,
                activation=Activation("clip", -2.0, 0.25),
            ),
            Subsample("s", draw(4), draw(4), (0, 1, 2, 0), activation=Activation("scaled_tanh")),
            Pool("p", "average", (2, 2), (2, 2), (1, 1, 1, 1)),
            Affine("a", draw(4), draw(4), Activation("sigmoid")),
            FullConnection("f", draw(5, 16), draw(5)),
            Rbf("r", draw(3, 5), trainable=True),
            Softmax("soft", log=True),
        ),
        "usps",
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]))
@settings(max_examples=20, deadline=None)
def test_what_comes_back_is_what_went_in(tmp_path_factory, seed, dtype):
    graph = example(seed, dtype)
    path = tmp_path_factory.mktemp("net") / "net.safetensors"
    save_network(graph, path)
    back = load_graph(path)
    assert str(back) == str(graph)
    assert back.digest == graph.digest
    assert graph_bytes(back) == path.read_bytes()


def test_an_ensemble_comes_back(tmp_path):
    both = Ensemble("both", (replace(example(1), name="one"), replace(example(2), name="two")))
    save_network(both, tmp_path / "both.safetensors")
    back = load_graph(tmp_path / "both.safetensors")
    assert isinstance(back, Ensemble)
    assert back.digest == both.digest


def test_the_file_has_one_metadata_key_and_canonical_json():
    data = graph_bytes(example())
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert list(header["__metadata__"]) == [KEY]
    content = json.loads(header["__metadata__"][KEY])
    assert header["__metadata__"][KEY] == json.dumps(content, sort_keys=True, separators=(",", ":"))


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "net.safetensors"
    save_network(example(1), path)
    before = path.read_bytes()
    monkeypatch.setattr("os.fsync", lambda number: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(FileError, match=r"net\.safetensors: cannot be written \(No space left on device\)"):
        save_network(example(2), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def changed(tmp_path, change, drop=(), extra=None):
    """The example's file with its description or its tensors changed."""
    path = tmp_path / "bad.safetensors"
    save_network(example(), path)
    data = path.read_bytes()
    content = json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"][KEY])
    change(content)
    arrays = {
        f"0.{step.layer.name}.{name}": np.asarray(array) for step in example() for name, array in step.layer.tensors.items()
    }
    arrays = {name: array for name, array in arrays.items() if name not in drop} | (extra or {})
    path.write_bytes(save(arrays, metadata={KEY: json.dumps(content)}))
    return path


def layer(content, name):
    return next(one for one in content["members"][0]["layers"] if one["name"] == name)


BAD = {
    "has format 3; this version of anna reads up to format 2: update anna": lambda c: c.update(format=3),
    "layer kind is 'dense'; expected one of prepare": lambda c: layer(c, "f").update(kind="dense"),
    "has unknown weights; expected": lambda c: layer(c, "f").update(weights=1),
    "lacks source; expected": lambda c: layer(c, "prepare").pop("source"),
    "stride: is [1, 'x']; expected a list of whole numbers": lambda c: layer(c, "c").update(stride=[1, "x"]),
    "padding_value: is '0'; expected float": lambda c: layer(c, "c").update(padding_value="0"),
    "table_oi: row 0 names maps (7,); expected maps 0 to 1": lambda c: layer(c, "d")["table_oi"].__setitem__(0, [7]),
    "table_oi: expected 3 rows, one for each output map": lambda c: layer(c, "d").update(table_oi=[[0]]),
    "weights are set where the connection table has no connection": lambda c: layer(c, "d").update(table_oi=[[0]] * 3),
    "activation: kind is 'relux'; expected one of none": lambda c: layer(c, "a")["activation"].update(kind="relux"),
    "activation: lacks high; expected alpha, gamma, high, kind, low": lambda c: layer(c, "a")["activation"].pop("high"),
    "trainable: is 1; expected bool": lambda c: layer(c, "r").update(trainable=1),
    "members: is 'no'; expected list": lambda c: c.update(members="no"),
    "the description names no network": lambda c: c.update(members=[]),
    "lacks name; expected data, ensemble, members, name": lambda c: c.pop("name"),
}


@pytest.mark.parametrize("sentence", BAD)
def test_a_changed_description_is_refused(tmp_path, sentence):
    with pytest.raises(FileError) as caught:
        load_graph(changed(tmp_path, BAD[sentence]))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_unknown_tensors_are_refused(tmp_path):
    with pytest.raises(FileError, match=r"lacks weights_oi; expected"):
        load_graph(changed(tmp_path, lambda c: None, drop=("0.f.weights_oi",)))
    with pytest.raises(FileError, match=r"holds 1. tensors; expected the"):
        load_graph(changed(tmp_path, lambda c: None, extra={"1.f.bias_o": np.zeros(2, np.float32)}))
    with pytest.raises(FileError, match=r"has a tensor stride, which a convolution layer does not have"):
        load_graph(changed(tmp_path, lambda c: layer(c, "c").pop("stride"), extra={"0.c.stride": np.zeros(2, np.float32)}))


def test_a_file_that_is_not_a_network_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    with pytest.raises(FileError, match=r"x\.safetensors: cannot be read"):
        load_graph(path)
    whole = graph_bytes(example())
    for cut in (0, 4, 100, len(whole) - 1):
        path.write_bytes(whole[:cut])
        reason = "is not a valid network file" if cut else "has 0 bytes; expected a network file"
        with pytest.raises(FileError, match=rf"x\.safetensors: {reason}"):
            load_graph(path)
    path.write_bytes(save({"a": np.zeros(1, np.float32)}, metadata={"other": "1"}))
    with pytest.raises(FileError, match=r"has no anna_graph description; expected a network file"):
        load_graph(path)
    path.write_bytes(save({"a": np.zeros(1, np.float32)}, metadata={KEY: "{"}))
    with pytest.raises(FileError, match=r"the description inside this network file is not JSON"):
        load_graph(path)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_a_flipped_byte_is_refused_or_loads_some_network(tmp_path_factory, data):
    """No damage may end in anything but a FileError or a network that passed every check."""
    whole = bytearray(graph_bytes(example()))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("bad") / "bad.safetensors"
    path.write_bytes(bytes(whole))
    with contextlib.suppress(FileError):
        load_graph(path)
