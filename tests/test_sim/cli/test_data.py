"""`anna data` and what `anna train` refuses; training itself is tested with the networks."""

import json
from pathlib import Path

from command_line import good, refused

from lenet.datasets.registry import DATA_SETS


def test_the_built_in_digits_are_always_there() -> None:
    files = json.loads(good("data", "--json"))["files"]
    assert files[0] == {"data": "mnist", "file": "built in: holdout 4500, calibration 500", "state": "intact"}


def test_an_empty_folder_has_nothing_and_a_damaged_file_is_reported(tmp_path: Path) -> None:
    text = good("data", "verify", "--folder", tmp_path)
    assert text.count("missing") == sum(len(one.files) for one in DATA_SETS.values()) >= 7
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"half a file")
    assert "1 file is damaged; `anna data fetch` replaces it" in refused("data", "verify", "--folder", tmp_path, stdout=True)


def test_bad_usage_gets_one_sentence(tmp_path: Path) -> None:
    assert "fetch needs the name of a data set: mnist or usps" in refused("data", "fetch")
    assert "is not a folder" in refused("data", "verify", "--folder", tmp_path / "none")
    assert "network 'lenet9' is not known" in refused("train", "lenet9")
