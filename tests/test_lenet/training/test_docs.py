"""The tables in the docs are those that the code generates."""

import re
from pathlib import Path

import pytest

import lenet
from lenet.networks.catalogue import define
from lenet.training.results import chip_table, row, table

DOCS = Path(__file__).parents[3] / "docs"


def test_the_table_of_results_comes_from_the_records():
    text = (DOCS / "training.md").read_text(encoding="utf-8")
    assert table() in text and chip_table() in text


@pytest.mark.parametrize("name", lenet.names)
def test_the_table_of_networks_has_the_counts(name):
    network = define(name)
    (line,) = re.findall(rf"^\| `{name}`.*$", (DOCS / "networks.md").read_text(encoding="utf-8"), re.MULTILINE)
    counts = [int(cell.replace(",", "")) for cell in line.split("|")[3:6]]
    assert counts == [network.connections, network.parameters, network.multiply_adds]


def test_a_row_says_whether_the_goal_is_met():
    test = {"error_percent": 0.95, "low_percent": 0.78, "high_percent": 1.16}
    record = {"results": [test, {"error_percent": 0.8}], "command": "anna train lenet5"}
    assert row("lenet5-mnist-seed1", record)[4:7] == ("at most 0.95", "yes", "0.80")
    assert row("lenet5-mnist-seed1", record | {"results": [test | {"error_percent": 0.96}]})[4:7] == ("at most 0.95", "no", "")
    assert row("lenet5-usps-seed1", record)[1] == "none"
