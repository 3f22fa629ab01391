"""What a converted network does in training: dies and noise as strong as the chip's, gradients of what it computes without
rounding, the same bits for the same seed, and less error on drawn chips in the end."""

import warnings

import numpy as np
import pytest

import anna
from anna.analog import knee
from anna.base.errors import DataError, SpecError
from anna.chip import codes
from anna.network.activations import RELU, SCALED_TANH
from anna.network.graph import Combination, Convolution, FullConnection, Graph, Pool

try:
    import torch
except ModuleNotFoundError:
    pytest.skip("PyTorch is absent: anna.torch is NOT tested", allow_module_level=True)

from small_digits import other_digits, small_digits
from torch.nn import functional

from anna.torch import ChipModule, convert
from anna.torch.die import BatchDie

pytestmark = pytest.mark.torch

RNG = np.random.default_rng(3)


def drawn(*shape: int) -> np.ndarray:
    return (RNG.normal(0, 1, shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


SMALL = Graph("small", (1, 14, 14), (
    Convolution("a", drawn(6, 1, 3, 3), np.zeros(6, np.float32), padding=(1, 1, 1, 1), activation=RELU),
    Pool("best", "max"),
    Convolution("b", drawn(6, 6, 3, 3), np.zeros(6, np.float32), padding=(1, 1, 1, 1)),
    Combination("sum", "sum", activation=RELU),
    FullConnection("c", drawn(20, 294), np.zeros(20, np.float32), SCALED_TANH),
    FullConnection("out", drawn(10, 20), np.zeros(10, np.float32)),
), links={"sum": ("b", "best")})  # fmt: skip


def small(network: object = SMALL, **options: object) -> ChipModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return convert(network, small_digits(100)[0], **options)


# --- the dies --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("analog", ["typical-v1", "typical-v2", "worst"])
def test_noise_of_a_sum_is_that_of_the_chip(analog: str) -> None:
    """Maps of 25 and 100 synapses, at LSBs of 32 and 512 weight LSB x state LSB."""
    record = anna.Analog.preset(analog).alone("noise")
    die = BatchDie(anna.ANNA_1991, record, torch.Generator().manual_seed(1))
    lsb, scale = torch.tensor([32.0, 512.0]), np.array([6, 14])
    found = die.noisy(torch.zeros(20_000, 2, 1, 1), die.per_lsb(lsb, scale), torch.tensor([25, 100])).std(0).flatten()
    place = (np.zeros(2, np.int64),) * 3
    electronics, units = anna.Die.draw(anna.ANNA_1991, record, 0).electronics, codes.adc_lsb(anna.ANNA_1991)[scale]
    sigma = electronics.thermal_sigma(*place, scale, np.array([25, 100])) / units
    assert found.numpy() == pytest.approx(sigma, rel=0.03)


def test_slow_noise_is_an_offset_of_each_adc_for_as_long_as_a_die_lasts() -> None:
    """And one of its own beside that which is for ever."""
    ideal = codes.unit_thresholds(anna.ANNA_1991)
    for record, sigma in ((anna.Analog(slow_noise_lsb=0.3), 0.3), (anna.Analog(slow_noise_lsb=0.3, adc_offset_lsb=0.4), 0.5)):
        dies = [BatchDie(anna.ANNA_1991, record, torch.Generator().manual_seed(k)) for k in range(200)]
        off = np.array([die._thresholds - ideal for die in dies])
        np.testing.assert_allclose(off, np.repeat(off[:, :, :1], off.shape[2], axis=2), atol=1e-9)
        assert off[:, :, 0].std() == pytest.approx(sigma, rel=0.08)  # 1,600 draws: 4.5 standard deviations


def test_what_dies_hold_spreads_as_on_drawn_chips() -> None:
    """Of charges of any age, that is."""
    spec = anna.ANNA_1991
    for causes in ("weight_dac", "synapse_gain", "synapse_zero", "row_drop"):
        record = anna.Analog.worst().changed(synapse_zero_lsb=0.3).alone(causes)
        wanted = torch.full((64, 256), 20.0)
        found = [BatchDie(spec, record, torch.Generator().manual_seed(k)).held(wanted)[0].std().item() for k in range(30)]
        real = [anna.Die.draw(spec, record, seed).weights_lsb(20 + 32).std() for seed in range(30)]
        assert np.mean(found) == pytest.approx(np.mean(real), rel=0.2), causes
    kept = BatchDie(spec, anna.Analog.worst().alone("droop"), torch.Generator().manual_seed(1)).held(wanted)[0] / 20
    assert 0.9 < kept.min() < kept.max() < 1 and kept.std() > 0.003


def test_a_gradient_spreads_what_dies_hold_as_on_drawn_chips() -> None:
    """Its size differs from die to die: rms over 200, which is good to 5 %."""
    spec, record, wanted, dies = anna.ANNA_1991, anna.Analog(gain_gradient=0.04), torch.full((64, 64), 20.0), range(200)
    found = [BatchDie(spec, record, torch.Generator().manual_seed(k)).held(wanted)[0].std().item() for k in dies]
    real = [anna.Die.draw(spec, record, seed).weights_lsb(20 + 32).std() for seed in dies]
    assert np.square(found).mean() ** 0.5 == pytest.approx(np.square(real).mean() ** 0.5, rel=0.2)


def test_the_knee_compresses_sums_as_on_the_chip() -> None:
    """Sums in weight LSB x half state LSB; 128 of the former and a whole state LSB are a synapse at full drive."""
    die = BatchDie(anna.ANNA_1991, anna.Analog(sum_knee=20.0), None)
    synapses, lsb = torch.linspace(-60, 60, 25), 512.0
    seen = die.noisy((synapses * 2 * 128)[:, None, None, None], torch.tensor([1 / lsb]), torch.tensor([64]))
    np.testing.assert_allclose(seen.flatten().numpy() * lsb / 128, knee.after(synapses.numpy(), 20.0), rtol=1e-5)


def test_thresholds_lie_as_far_off_as_on_drawn_chips() -> None:
    record, spec = anna.Analog.typical().alone("adc_offset", "adc_gain"), anna.ANNA_1991
    sums = torch.linspace(-5, 5, 4001)[:, None, None, None].expand(-1, 8, 1, 1)
    away = []
    for seed in range(40):
        die = BatchDie(spec, record, torch.Generator().manual_seed(seed))
        reached = die.reached(sums.clamp(-4, 4), -4.0)
        assert (reached.diff(dim=0) >= 0).all() and reached.max() == 7
        away.append((sums.flip(0) * 0 + sums)[(reached.diff(dim=0) > 0).nonzero(as_tuple=True)[0]].flatten().numpy() % 1)
    spread = np.concatenate([np.minimum(one, 1 - one) for one in away])
    assert np.sqrt((spread**2).mean()) == pytest.approx(record.adc_threshold_offset_lsb, rel=0.15)


def test_a_curved_adc_counts_its_own_thresholds() -> None:
    spec = anna.ANNA_1991.changed(adc_curve="squash")
    die = BatchDie(spec, anna.Analog.ideal(), None)
    seen = torch.linspace(-9, 9, 500)[:, None, None, None]
    wanted = np.searchsorted(codes.unit_thresholds(spec), seen.numpy(), side="right")
    np.testing.assert_array_equal(die.reached(seen, 0.0).numpy(), wanted)


def test_errors_of_state_steps_are_refused() -> None:
    module = small(analog=anna.Analog.typical().changed(state_step_lsb=0.1))
    with pytest.raises(SpecError, match=r"errors of a synapse's state steps are not drawn in training"):
        module(torch.tensor(small_digits(2)[0]))


# --- gradients -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("options", [{"maxima": "chip"}, {"maxima": "host"}, {"maxima": "chip", "copies": 2}], ids=str)
def test_gradients_are_those_of_what_is_computed_without_rounding(options: dict[str, object]) -> None:
    """Against finite differences, in 64 bits, where the function has no corner nearby."""
    module = small(**options).double()
    module._relaxed = True
    images = torch.tensor(small_digits(8)[0]).double()

    def loss() -> torch.Tensor:
        return module(images).sin().sum()

    loss().backward()
    checked = 0
    for parameter in module.parameters():
        flat, grad = parameter.data.reshape(-1), parameter.grad.reshape(-1)
        for at in np.random.default_rng(1).choice(flat.numel(), min(5, flat.numel()), replace=False).tolist():
            right = []
            for step in (1e-5, 1e-6):
                ends = []
                for sign in (1, -1):
                    flat[at] += sign * step
                    with torch.no_grad():
                        ends.append(float(loss()))
                    flat[at] -= sign * step
                right.append((ends[0] - ends[1]) / (2 * step))
            if right[0] == pytest.approx(right[1], rel=1e-4, abs=1e-7):  # no corner between
                assert float(grad[at]) == pytest.approx(right[1], rel=1e-3, abs=1e-6)
                checked += 1
    assert checked >= 25


@pytest.mark.parametrize("options", [{"maxima": "chip"}, {"digits": 2, "maxima": "chip"}, {"dies": 3}], ids=str)
def test_rounding_lets_gradients_through_to_every_number(options: dict[str, object]) -> None:
    module = small(**options)
    for mode in (module.train(), module.eval()):
        module.zero_grad()
        mode(torch.tensor(small_digits(30)[0])).sin().sum().backward()
        for key, parameter in module.named_parameters():
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, key


def test_an_image_gets_a_gradient_too() -> None:
    images = torch.tensor(small_digits(3)[0]).requires_grad_()
    small().eval()(images).sin().sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0


# --- runs ------------------------------------------------------------------------------------------------------------
def train(module: ChipModule, passes: int, seed: int, step: float = 0.003) -> ChipModule:
    """An ordinary loop."""
    torch.manual_seed(seed)
    images, labels = (torch.tensor(one) for one in small_digits())
    optimiser = torch.optim.Adam(module.parameters(), step)
    for _ in range(passes):
        module.train().settle()
        for chosen in torch.randperm(len(images)).split(50):
            optimiser.zero_grad()
            functional.cross_entropy(module(images[chosen]), labels[chosen]).backward()
            optimiser.step()
    module.settle()
    return module


def error(module: ChipModule, chips: int = 4) -> float:
    images, labels = other_digits(400)
    program = module.compile()
    return float(np.mean([(anna.Chip(seed=k).run(program, images).labels != labels).mean() for k in range(chips)]))


def test_training_lowers_the_error_on_drawn_chips() -> None:
    module = small(maxima="chip")
    before = error(module)
    assert error(train(module, 8, 1)) < 0.4 * before


def test_the_same_seed_gives_the_same_bits() -> None:
    one, two, other = (train(small(maxima="chip"), 1, seed).to_graph().digest for seed in (1, 1, 2))
    assert one == two != other


def test_a_generator_of_its_own_makes_the_dies() -> None:
    module, images = small(), torch.tensor(small_digits(5)[0])
    found = []
    for seed in (1, 1, 2):
        module.generator = torch.Generator().manual_seed(seed)
        found.append(module(images))
    assert torch.equal(found[0], found[1]) and not torch.equal(found[0], found[2])


def test_an_ideal_die_in_training_is_the_ideal_chip() -> None:
    module, images = small(analog="ideal"), torch.tensor(small_digits(20)[0])
    assert torch.equal(module.train()(images), module.eval()(images))


def test_what_the_compiler_left_open_is_decided_once() -> None:
    assert small().options.maxima in ("chip", "host")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = convert(SMALL, small_digits(100)[0][:, None], precision="auto", within=50.0, against="ideal")
    digits = chosen.options.digits
    chosen.settle(small_digits(50)[0])
    assert chosen.options.digits == digits and chosen.compile().digest


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda module: module(torch.zeros(2, 1, 9, 9)),
         r"small: images are torch.float32 of shape \(2, 1, 9, 9\); expected floats \(n, 1, 14, 14\)"),
        (lambda module: ChipModule(SMALL, module.options).settle(),
         r"small: has no images to choose ranges by; call settle\(images\) first"),
        (lambda module: small(dies=0), "dies is 0; expected at least 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_a_sentence(call, sentence) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match=sentence):
        call(small())


def test_numbers_that_meet_on_the_chip_are_refused() -> None:
    """A map that is joined to itself is weighed by the sum of two weights."""
    from anna.network.graph import Concatenation

    twice = Graph("twice", (1, 14, 14), (*SMALL.layers[:1], Concatenation("both"), Convolution("b", drawn(4, 12, 14, 14)),
                                         FullConnection("out", drawn(3, 4))), links={"both": ("a", "a")})  # fmt: skip
    with pytest.raises(DataError, match=r"twice: numbers of b\.parts on the chip are sums or products of several"):
        small(twice)
