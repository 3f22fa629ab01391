"""One chip in the training loop, seen only through its pins."""

import warnings

import numpy as np
import pytest

import anna
import lenet
from anna.analog.parameters import Analog
from anna.base.errors import DataError
from anna.network.activations import RELU
from anna.network.graph import Combination, Convolution, FullConnection, Graph, Pool

try:
    import torch
except ModuleNotFoundError:
    pytest.skip("PyTorch is absent: anna.torch is NOT tested", allow_module_level=True)

from small_digits import small_digits
from torch.nn import functional

from anna.torch import ChipModule, convert

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(4)


def drawn(*shape: int) -> np.ndarray:
    return (RNG.normal(0, 1, shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


BRANCHED = Graph("branched", (1, 14, 14), (
    Convolution("a", drawn(4, 1, 3, 3), np.zeros(4, np.float32), padding=(1, 1, 1, 1), activation=RELU),
    Pool("best", "max"),
    Convolution("b", drawn(4, 4, 3, 3), np.zeros(4, np.float32), padding=(1, 1, 1, 1)),
    Combination("sum", "sum", activation=RELU),
    FullConnection("out", drawn(10, 196), np.zeros(10, np.float32)),
), links={"sum": ("b", "best")})  # fmt: skip


def small(**options: object) -> ChipModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return convert(BRANCHED, small_digits(100)[0], **options)


def shown(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = small_digits(count)
    return torch.from_numpy(np.asarray(images, np.float32)), torch.from_numpy(labels.astype(np.int64))


@pytest.mark.parametrize("options", [{}, {"digits": 2}, {"machine": "board-1991"}, {"maxima": "host"}])
def test_of_an_ideal_chip_nothing_is_seen(options: dict[str, object]) -> None:
    module, (images, _) = small(**options), shown(20)
    observed = module.observe(anna.Chip(), images)
    assert observed.differences and not any(difference.any() for difference in observed.differences.values())
    module.eval()
    torch.testing.assert_close(module(images, observed), module(images), rtol=0, atol=0)


@pytest.mark.parametrize("options", [{}, {"digits": 2}, {"copies": 2}, {"maxima": "host"}])
def test_what_was_seen_of_a_chip_gives_its_scores_to_the_bit(options: dict[str, object]) -> None:
    """A drawn die with all its noise: the states are its own, so its scores are too."""
    module, (images, _) = small(**options), shown(20)
    chip = anna.Chip(seed=5, analog=Analog.worst())
    observed = module.eval().observe(chip, images, noise_seed=3)
    scores = chip.run(module.compile(check_count=0), images.numpy(), noise_seed=3).scores
    np.testing.assert_array_equal(module(images, observed).detach().numpy(), scores)
    assert (module(images).detach().numpy() != scores).any()


def test_gradients_pass_as_on_the_ideal_chip_and_no_die_is_drawn() -> None:
    module, (images, labels) = small(), shown(12)
    observed = module.observe(anna.Chip(seed=5), images)
    module.train()
    first, second = (module(images, observed) for _ in range(2))
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    functional.cross_entropy(first, labels).backward()
    assert all(one.grad is not None and torch.isfinite(one.grad).all() for one in module.parameters())
    assert any(one.grad.any() for one in module.parameters() if one.grad is not None)


def test_what_was_seen_belongs_to_its_images() -> None:
    module, (images, _) = small(), shown(12)
    observed = module.observe(anna.Chip(seed=5), images)
    chosen = torch.tensor([7, 2, 5])
    assert len(observed) == 12 and len(observed[chosen]) == 3
    torch.testing.assert_close(module.eval()(images[chosen], observed[chosen]), module(images, observed)[chosen])
    with pytest.raises(DataError, match="the chip was observed on 12 images and is applied to 3; give the same ones"):
        module(images[chosen], observed)


def test_trained_in_the_loop_a_bad_chip_errs_less_on_images_it_was_not_trained_with() -> None:
    """The recogniser on a worst chip, 600 digits shown three times; judged on 1,500 others."""
    network, (images, labels) = lenet.load("recognizer", data="mnist"), lenet.holdout()
    chip = anna.Chip(seed=6, analog=Analog.worst())
    module = convert(network, lenet.calibration(), calibration_count=100)
    torch.manual_seed(1)
    before = chip.run(module.compile(check_count=0), images[3000:]).error(labels[3000:])
    some, right = torch.tensor(images[:600]), torch.tensor(labels[:600].astype(np.int64))
    steps = torch.optim.Adam(module.parameters(), 0.0005)
    for _ in range(3):
        observed = module.observe(chip, some)
        for chosen in torch.randperm(600).split(50):
            steps.zero_grad()
            functional.cross_entropy(module(some[chosen], observed[chosen]) / 2, right[chosen]).backward()
            steps.step()
    after = chip.run(module.compile(check_count=0), images[3000:]).error(labels[3000:])
    assert after < before, (before, after)
