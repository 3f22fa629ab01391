"""Program files that tests of several commands share."""

from pathlib import Path

import pytest
from command_line import ROOT, good

import anna
import lenet

EDGES = ROOT / "examples" / "edges.asm"


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("edges") / "edges.anna"
    good("asm", EDGES, "-o", path)
    return path


@pytest.fixture(scope="module", params=["sequencer", "wide"])
def paged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """784-300-10: pages take most of its time, and its last layer runs on the host."""
    path = tmp_path_factory.mktemp("paged") / "mlp300.anna"
    anna.compile(lenet.load("mlp300"), lenet.calibration()[0][:40], machine=request.param, check_count=0).save(path)
    return path
