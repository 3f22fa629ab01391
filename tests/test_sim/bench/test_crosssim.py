"""CrossSim as a peer, with a package of the same interface in its place: what it is told, and where it may come from."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import lenet
from anna.network.graph import Graph

pytest.importorskip("torch", reason="NOT TESTED: PyTorch is not installed")

from sim.bench import crosssim_peer
from sim.bench.torch_peers import NOISE, SUM_BOUND, WEIGHT_ERROR

PARAMETERS = """
class Settings:
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        found = Settings()
        setattr(self, name, found)
        return found

class CrossSimParameters(Settings):
    pass
"""
LAYERS = """
told = []

def from_torch(module, settings):
    told.append((module, settings))
    return module
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Sources like CrossSim's, forgotten afterwards."""
    torch = tmp_path / "simulator" / "algorithms" / "dnn" / "torch"
    torch.mkdir(parents=True)
    for part in (torch.parents[1], torch.parent):
        (part / "__init__.py").touch()
    (tmp_path / "simulator" / "__init__.py").write_text(PARAMETERS)
    (torch / "__init__.py").write_text(LAYERS)
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "9.8"\n')
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "simulator"]:
        del sys.modules[name]


def test_each_layer_on_the_chip_has_the_settings_of_the_other_noisy_peers(folder: Path) -> None:
    graph = lenet.load("recognizer")
    assert isinstance(graph, Graph)
    crosssim_peer.noisy_reader(graph, lenet.calibration()[0], folder)
    told = sys.modules["simulator.algorithms.dnn.torch"].told
    assert len(told) == 2  # the third layer of weights is the host's
    for (module, settings), (low, high) in zip(told, [(-1, 1), (-1.75, 1.75)], strict=True):
        largest = float(module.weight.abs().max())
        steps = module.weight / largest * 31
        assert np.allclose(steps, steps.round(), atol=1e-4)
        assert (settings.xbar.dac.mvm.bits, settings.xbar.adc.mvm.bits) == (3, 3)
        inputs = settings.core.mapping.inputs.mvm
        assert (inputs.min, inputs.max) == (low, high)
        bound = largest * (high - low) / 2
        assert settings.xbar.adc.mvm.calibrated_range == pytest.approx([-SUM_BOUND / bound, SUM_BOUND / bound])
        errors, noise = settings.xbar.device.programming_error, settings.xbar.device.read_noise
        assert errors.enable and noise.enable
        assert errors.magnitude * np.sqrt(2) == pytest.approx(WEIGHT_ERROR)
        power = (noise.magnitude * np.sqrt(2) * largest / NOISE) ** -2 / module.weight[0].numel()  # of an input
        assert 0.1 < power < high**2


def test_the_version_is_that_of_the_sources(folder: Path, tmp_path: Path) -> None:
    assert crosssim_peer.version(folder) == "9.8"
    assert crosssim_peer.version(tmp_path / "nowhere") == "unknown"


def test_sources_come_from_the_folder_that_was_named_and_from_no_other(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "simulator").mkdir(parents=True)
    with pytest.raises(crosssim_peer.UsageError, match="holds no CrossSim"):
        crosssim_peer.sources(other)
    assert str(other) not in sys.path
    crosssim_peer.sources(folder)
    (other / "simulator" / "__init__.py").touch()
    with pytest.raises(crosssim_peer.UsageError, match="another package named simulator comes before it"):
        crosssim_peer.sources(other)
