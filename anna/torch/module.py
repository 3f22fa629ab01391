"""A network as the chip computes it, as a PyTorch module: converted, trained in the user's own loop, compiled again.

The compiler decides what runs on the chip, in which parts, with which ranges and codes, for the current numbers (`settle`);
until the next call these choices stay while the numbers move. What a layer computes stands in `anna.torch.settled`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from anna.analog.parameters import Analog
from anna.base.errors import DataError
from anna.compiler import compilation
from anna.compiler import compile as compile_network
from anna.compiler.calibrate import calibrate
from anna.compiler.ir import INPUT, HostStage, Member
from anna.compiler.maxima import maxima_of
from anna.compiler.options import CompileOptions
from anna.compiler.quantise import quantise
from anna.compiler.quantised import Meaning, QuantGraph
from anna.importers.modules import as_array, import_network, library_of
from anna.native.blas import one_thread
from anna.network.graph import Network
from anna.network.prepare import prepare
from anna.torch.die import BatchDie, expect_drawable
from anna.torch.host import HostBefore, HostLayers, HostPlace, states_of
from anna.torch.numbers import Numbers, folded
from anna.torch.observed import Observed, Watching, ends, measured
from anna.torch.places import lookups, parts_of
from anna.torch.settled import SettledLayer

if TYPE_CHECKING:
    from anna.machine.chip import Chip
    from anna.program.file import Program


def convert(
    network: Network | Any, calibration: Any, *, analog: str | Analog = "typical", dies: int = 1, **options: Any
) -> ChipModule:
    """A network as a module that computes what the compiled program does, ready to be trained.

    network      a PyTorch module (as it computes in evaluation mode), a Keras model, or one of anna's own
    calibration  sample images as the network takes them: ranges are chosen by them, now and at each `settle`
    analog       the dies that are drawn in training mode: a preset by name, or an `Analog`
    dies         how many are drawn for each batch, each for an equal share of it
    options      those of `anna.compile`, with the same defaults but for `round`, which is "nearest": numbers that are trained
                 in the chip's codes need no better rounding. What "auto" leaves open is decided here, once.

    Raises CompileError with every reason why the network cannot be compiled.
    """
    if library_of(network) is not None:
        network = import_network(network, calibration)
    done = compilation(
        folded(network) if isinstance(network, Network) else network, calibration, **{"round": "nearest"} | options
    )
    chosen = done.options
    if chosen.maxima == "auto" and maxima_of(done.checked):  # judged on drawn chips, and not to be judged again
        chosen = chosen.changed(maxima="chip")
    module = ChipModule(done.checked.network, chosen, analog=analog, dies=dies)
    module.settle(calibration)
    return module


class ChipModule(nn.Module):
    """Maps images, as the network takes them, to the scores of the chip and its host.

    In evaluation mode the chip is ideal, and after `settle` scores equal those of the compiled program to the bit. In training
    mode each batch meets dies of its own, with noise. Parameters are the numbers of the float network.
    """

    def __init__(self, network: Network, options: CompileOptions, *, analog: str | Analog = "typical", dies: int = 1) -> None:
        super().__init__()
        if dies < 1:
            raise DataError(f"dies is {dies}; expected at least 1")
        self.options, self.dies = options, dies
        self.analog = Analog.preset(analog) if isinstance(analog, str) else analog
        self.generator: torch.Generator | None = None  # of dies and noise; None: PyTorch's own
        network = folded(network)
        self._found, fixed = lookups(network, options)
        self.numbers = Numbers(network, fixed)
        self.calibration: Any = None
        self._settled: _Settled | None = None
        self._relaxed = False

    @property
    def network(self) -> Network:
        """The network with the numbers with which the module began."""
        return self.numbers.network

    def to_graph(self) -> Network:
        """The float network with the current numbers, to save, or to compile with the same options."""
        return self.numbers.to_network()

    def compile(self, **changed: Any) -> Program:
        """The program for the current numbers: what `anna.compile` makes of them with the module's calibration images and
        options, but for those that are changed."""
        options = {name: getattr(self.options, name) for name in CompileOptions.model_fields}
        return compile_network(self.to_graph(), self._images(), **options | changed)

    def settle(self, calibration: Any = None) -> None:
        """Let the compiler choose ranges, scale codes and roundings for the current numbers, on other images if there are
        some. Worth a call before each pass over the training images, and after the last."""
        if calibration is not None:
            self.calibration = as_array(calibration[0] if isinstance(calibration, tuple) else calibration)
        with one_thread():
            parts = parts_of(self.to_graph(), self.options)
            quantised = quantise(parts, calibrate(parts, self._images(), self.options), self.options)
        self._settled = _Settled(quantised, self._found, self.numbers)

    def _images(self) -> Any:
        if self.calibration is None:
            raise DataError(f"{self.network.name}: has no images to choose ranges by; call settle(images) first")
        return self.calibration

    def observe(self, chip: Chip, images: Any, *, noise_seed: int = 0) -> Observed:
        """How one chip differs from what the module expects of it, on some images, seen through its pins: the module settles,
        its program runs on the chip, and the states that it leaves in memory are read. `module(images, observed)` then
        computes with them, until numbers have moved so far that it is worth another look."""
        self.settle()
        assert self._settled is not None
        watching = Watching(measured(chip, self.compile(check_count=0), as_array(images), noise_seed))
        shown = images if isinstance(images, Tensor) else torch.tensor(np.asarray(images))
        with torch.no_grad():
            self._settled.results(self.numbers, self._entered(shown), None, False, watching)
        return Observed(watching.differences, *ends(self.options.chip), len(shown))

    def forward(self, images: Tensor, observed: Observed | None = None) -> Tensor | tuple[Tensor, ...]:
        """The scores (images, classes), or (images, classes, rows, columns) where there are positions; of a network with
        several outputs all of them. Networks that prepare raw images take these, or prepared floats. With what was
        `observed` of a chip on these images, its states are that chip's, and no die is drawn."""
        if self._settled is None:
            self.settle()
        assert self._settled is not None
        drawn = self.training and not self.analog.is_ideal and not self._relaxed and observed is None
        if drawn:
            expect_drawable(self.analog)
        x = self._entered(images)
        shares = x.chunk(self.dies) if drawn else (x,)
        found = []
        for share in shares:
            die = BatchDie(self.options.chip, self.analog, self.generator) if drawn else None
            found.append(self._settled.results(self.numbers, share, die, self._relaxed, observed))
        results = found[0] if len(found) == 1 else [torch.cat(parts) for parts in zip(*found, strict=True)]
        results = [one[:, :, 0, 0] if one.shape[2:] == (1, 1) else one for one in results]
        return results[0] if len(results) == 1 else tuple(results)

    def _entered(self, images: Tensor) -> Tensor:
        """Images as they enter the network, (images, maps, rows, columns)."""
        layer, shape = self.network.prepare, self.network.input_shape
        if layer is not None:
            shape = layer.output_shape(shape)
            if not images.is_floating_point():
                return torch.from_numpy(np.ascontiguousarray(prepare(layer, images.numpy())[:, None]))
        if not images.is_floating_point() or images.numel() != len(images) * int(np.prod(shape)):
            kind = "" if layer is None else ", or raw ones in uint8"
            raise DataError(
                f"{self.network.name}: images are {images.dtype} of shape {tuple(images.shape)}; expected floats "
                f"(n, {shape[0]}, {shape[1]}, {shape[2]}){kind}"
            )
        return images.reshape(len(images), *shape)


class _Settled:
    """The quantised network, step by step, as the integer graph of the compiler's self-check has it."""

    def __init__(self, quantised: QuantGraph, found: Any, numbers: Numbers) -> None:
        self.quantised, self.spec = quantised, quantised.spec
        lowered_graph = quantised.lowered
        widths = {stack: shape[0] for stack, shape in lowered_graph.stacks.items()}
        by_name = {quant.layer.name: quant for quant in quantised.layers}
        self.before = HostBefore(HostLayers(0, lowered_graph.before, found))
        self.members: list[list[SettledLayer | HostPlace]] = []
        number = 0
        for member in lowered_graph.members:
            steps: list[SettledLayer | HostPlace] = []
            for step in (*member.steps, member.tail):
                if isinstance(step, HostStage):
                    number += 1
                    steps.append(HostPlace(step, HostLayers(number, step.layers, found), quantised))
                    continue
                source = self._meaning(member, step.source)
                layer = SettledLayer(by_name[step.name], self.spec, found, source, widths[step.source])
                layer.settle(numbers)
                steps.append(layer)
            self.members.append(steps)
        self._widths = widths

    def _meaning(self, member: Member, stack: str) -> Meaning:
        """What the states of a stack stand for to a member's layers: leading factors of the network are part of it."""
        meant = self.quantised.meaning_of(stack)
        if stack != INPUT:
            return meant
        lead, first = np.tile(member.input_scale_m, meant.digits), np.zeros(len(meant.offset_m))
        first[: len(member.input_offset_m)] = member.input_offset_m
        return Meaning(meant.gain_m * lead, meant.offset_m * lead + first, meant.digits)

    def results(
        self, numbers: Numbers, x: Tensor, die: BatchDie | None, relaxed: bool, observed: Observed | Watching | None = None
    ) -> list[Tensor]:
        """All that the network gives for what enters it, the scores first."""
        exact = die is None and not relaxed
        entered = self.before(numbers, x, exact)
        image = states_of(entered, self.quantised.input_meaning, self.spec, relaxed=relaxed and entered.requires_grad)
        total: list[Tensor] = []
        for steps in self.members:
            held = _Held(image, self._widths)
            *between, tail = steps
            for step in between:
                if isinstance(step, SettledLayer):
                    layer = step.quant.layer
                    states = step(numbers, held, die, relaxed)
                    held.write(layer.stack, layer.first_map, states if observed is None else observed.applied(layer, states))
                else:
                    for stack, states in step.written(numbers, held, exact, relaxed).items():
                        held.write(stack, 0, states)
            assert isinstance(tail, HostPlace)
            found = tail.results(numbers, held, exact)
            total = [one + more for one, more in zip(total, found, strict=True)] if total else found
        return total


class _Held:
    """The map stacks of one member: parts of each as they are written; what is not yet written is zero."""

    def __init__(self, image: Tensor, widths: Mapping[str, int]) -> None:
        self._parts: dict[str, dict[int, Tensor]] = {INPUT: {0: image}}
        self._joined: dict[str, Tensor] = {}
        self._widths = widths

    def write(self, stack: str, first: int, states: Tensor) -> None:
        """Put maps in their place in a stack."""
        self._parts.setdefault(stack, {})[first] = states
        self._joined.pop(stack, None)

    def __call__(self, stack: str) -> Tensor:
        if stack not in self._joined:
            found = list(self._filled(stack))
            self._joined[stack] = found[0] if len(found) == 1 else torch.cat(found, 1)
        return self._joined[stack]

    def _filled(self, stack: str) -> Iterator[Tensor]:
        at = 0
        for first, states in sorted(self._parts[stack].items()):
            if first > at:
                yield states.new_zeros(len(states), first - at, *states.shape[2:])
            yield states
            at = first + states.shape[1]
        if at < self._widths[stack]:
            yield states.new_zeros(len(states), self._widths[stack] - at, *states.shape[2:])


__all__ = ["ChipModule", "convert"]
