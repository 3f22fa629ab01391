"""A training's checkpoint comes back as it was, or not at all: cut, changed or not completely written, it is refused."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anna.base.container import pack
from anna.base.errors import DataError
from lenet.training.checkpoint import KEY, Checkpoint, Pass

SOME = Checkpoint("run", (Pass(1, 0.5, 20.0, None), Pass(2, 0.25, 10.0, 12.0)), {"p0": np.arange(3, dtype=np.float32)})


def reason(path: Path) -> str:
    with pytest.raises(DataError) as told:
        Checkpoint.load(path)
    sentence = str(told.value)
    assert sentence.startswith(f"{path}: ") and sentence.endswith("; remove it to start over") and "\n" not in sentence
    return sentence


@given(numbers=st.lists(st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=4), max_size=4),
       losses=st.lists(st.floats(0, 1e6), max_size=4))  # fmt: skip
def test_it_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, numbers: list[list[float]],
                                 losses: list[float]) -> None:  # fmt: skip
    path = tmp_path_factory.mktemp("run") / "run.checkpoint"
    arrays = {f"p{n}": np.array(row, np.float32) for n, row in enumerate(numbers)}
    curve = tuple(Pass(n, loss, 1.0, None) for n, loss in enumerate(losses, 1))
    Checkpoint("run", curve, arrays).save(path)
    found = Checkpoint.load(path)
    assert (found.fingerprint, found.curve, found.numbers.keys()) == ("run", curve, arrays.keys())
    assert all(found.numbers[name].tobytes() == array.tobytes() for name, array in arrays.items())


def test_one_that_was_cut_anywhere_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    SOME.save(path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        reason(path)


def test_one_with_any_changed_byte_is_refused_or_means_the_same(tmp_path: Path) -> None:
    """A space in the header more or less changes nothing; a weight, or anything else that is read, would."""
    path = tmp_path / "run.checkpoint"
    SOME.save(path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            found = Checkpoint.load(path)
        except DataError:
            continue
        assert (found.fingerprint, found.curve) == (SOME.fingerprint, SOME.curve)
        assert found.numbers["p0"].tolist() == SOME.numbers["p0"].tolist()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))  # the sign of the last weight
    assert "the checksum does not match; this checkpoint file was changed or damaged" in reason(path)


@pytest.mark.parametrize("curve", [(replace(SOME.curve[0], number=2),), (SOME.curve[0],) * 2,
                                   (replace(SOME.curve[0], loss="much"),)])  # fmt: skip
def test_one_whose_passes_do_not_follow_each_other_is_refused(tmp_path: Path, curve: tuple[Pass, ...]) -> None:
    path = tmp_path / "run.checkpoint"
    replace(SOME, curve=curve).save(path)
    assert "has no curve of passes 1, 2, 3 ..." in reason(path)


def test_one_with_numbers_of_another_type_or_without_a_curve_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    replace(SOME, numbers={"p0": np.arange(3, dtype=np.float64)}).save(path)  # type: ignore[dict-item]
    assert "p0 is float64; expected float32" in reason(path)
    path.write_bytes(pack(KEY, {"fingerprint": "run"}, {}))
    assert re.search(r"is not a training's checkpoint, or a damaged one \(KeyError: 'curve'\)", reason(path))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    reason(tmp_path)
    (tmp_path / "empty").touch()
    reason(tmp_path / "empty")
