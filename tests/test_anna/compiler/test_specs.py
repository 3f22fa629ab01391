"""Any chip that can be described: what is compiled for it is exact, or it is refused in a sentence."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import anna
from anna.base.errors import AnnaError, CompileError, SpecError
from anna.chip.machines import Machine
from anna.chip.spec import ALL_AT_ONCE, ANNA_1991, ANNA_WIDE, DEDICATED, ChipSpec, Sequencer
from anna.compiler import compilation
from anna.compiler.selfcheck import evaluate
from anna.compiler.split import capacity
from anna.machine.interpreter import interpret
from anna.network.graph import NONE, SCALED_TANH, Convolution, FullConnection, Graph, Subsample

MANY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))  # three times


def often(usual: st.SearchStrategy[int], *limits: int) -> st.SearchStrategy[int]:
    """Mostly a usual value, sometimes one at the ends of what the field allows."""
    return st.one_of(usual, usual, usual, st.sampled_from(limits))


@st.composite
def specifications(draw: st.DrawFn, instruction_set: str) -> dict[str, object]:
    """Values for every field of a chip, small enough to compile in no time, mostly fitting together."""
    dacs = draw(often(st.integers(1, 4), 16, 64))
    columns = dacs * draw(st.one_of(st.integers(1, max(1, 72 // dacs)), st.integers(-(-8 // dacs), max(1, 72 // dacs))))
    rows = draw(often(st.integers(1, 80), 4096 if columns < 16 else 256))
    registers = draw(often(st.integers(1, 12), 64))
    narrow = [n for n in range(1, columns) if columns % n == 0]
    latches = registers if instruction_set == "wide" else draw(often(st.integers(1, 8), 64))
    wide = [n * columns for n in range(2, min(rows, latches, 5) + 1)]
    chosen = [n for n in (*narrow, *wide) if draw(st.integers(0, 2)) == 0]
    if draw(st.integers(0, 19)) < 19:
        chosen.append(columns)
    state_bits = draw(often(st.integers(1, 8), 12, 16))
    return {
        "rows": rows,
        "columns": columns,
        "registers": registers,
        "instruction_set": instruction_set,
        "latches": latches,
        "shift_from": draw(st.sampled_from(["either", "either", "register", "shifter"])),
        "word_states": draw(often(st.integers(1, 8), 64, 4096)),
        "out_words": draw(often(st.integers(1, 3), 256)),
        "neurons_at_once": draw(often(st.integers(1, 16), 256)),
        "fan_ins": tuple(sorted(chosen))[-16:] or (columns,),
        "weight_bits": draw(often(st.integers(2, 8), 16)),
        "state_bits": state_bits,
        "scale_bits": draw(often(st.integers(0, 5), 6, 7, 8)),
        "weight_levels": draw(st.sampled_from(["mid-tread"] * 19 + ["mid-rise"])),
        "state_levels": draw(st.sampled_from(["mid-rise", "mid-tread"])),
        "adc_curve": draw(st.sampled_from(["linear", "squash"])),
        "adc_full_scale": draw(st.one_of(usual := st.floats(0.5, 64), usual, usual, st.sampled_from([1e-300, 1e-4, 4096.0]))),
        "scale_law": draw(st.sampled_from(["geometric", "linear"])),
        "scale_step": draw(st.one_of(st.just(2.0), st.floats(1, 4, exclude_min=True))),
        "clock_hz": draw(often(st.integers(10**6, 10**9), 1, 10**12)),
        "calc_cycles": draw(often(st.integers(1, 9), 1024)),
        "store_cycles": draw(often(st.integers(1, 9), 1024)),
        "states_in_per_cycle": draw(often(st.integers(1, 9), 1024)),
        "states_out_per_cycle": draw(often(st.integers(1, 9), 1024)),
        "issue_width": draw(often(st.integers(1, 5), 64)),
        "dacs": dacs,
        "refresh_order": draw(st.sampled_from(["interleaved"] * 5 + ["halves"])),
        "refresh_overhead_cycles": draw(often(st.integers(0, 300), 10**9)),
        "memory_states": draw(st.one_of(st.none(), st.integers(300, 1 << 20), st.sampled_from([1, 300, 1200, 1 << 40]))),
        "memory_latency_cycles": draw(often(st.integers(0, 9), 1024)),
        "max_pages": draw(often(st.integers(2, 64), 1, 65_536)),
        "reset_state_code": draw(st.integers(0, (1 << state_bits) - 1)),
    }  # fmt: skip


@st.composite
def sequencers(draw: st.DrawFn, aligned: bool) -> Sequencer:
    """Any sequencer."""
    rate = st.one_of(st.none(), st.none(), st.floats(1e5, 1e9))
    return Sequencer(
        overlap=draw(st.sampled_from(["none", "shift-calc", "shift-calc", "all"])),
        instructions_per_s=draw(rate),
        bytes_per_s=draw(rate),
        bytes_per_word=draw(st.integers(1, 8)),
        aligned=aligned,
    )


def drawn(seed: int, *shape: int) -> np.ndarray:
    """Weights."""
    return np.random.default_rng(seed).normal(0, 0.5, shape).astype(np.float32)


def subsampled(maps: int = 3) -> Graph:
    """A convolution with subsampling, and a full connection."""
    ones = np.ones(maps, np.float32)
    layers = (Convolution("C", drawn(0, maps, 1, 3, 3), drawn(1, maps), activation=SCALED_TANH),
              Subsample("S", ones * 0.4, ones * 0.1, activation=SCALED_TANH),
              FullConnection("F", drawn(2, 4, maps * 4), drawn(3, 4)))  # fmt: skip
    return Graph("subsampled", (1, 6, 6), layers)


def chained(spec: ChipSpec) -> Graph:
    """A convolution of more inputs than a neuron of the chip has, unless that has many."""
    maps = min(capacity(spec) // 6 + 2, 16)
    layers = (Convolution("C", drawn(4, 2, maps, 2, 3), drawn(5, 2), activation=SCALED_TANH),
              FullConnection("F", drawn(6, 3, 8), activation=NONE))  # fmt: skip
    return Graph("chained", (maps, 3, 4), layers)


def expect_integers(graph: Graph, spec: ChipSpec, sequencer: Sequencer = DEDICATED) -> None:
    """The compiled program on the chip, engine and interpreter alike, gives what plain integer arithmetic does."""
    images = np.random.default_rng(7).uniform(-1, 1, (12, *graph.input_shape)).astype(np.float32)
    machine = Machine(name="any", chip=spec, sequencer=ALL_AT_ONCE if spec.wide else sequencer)
    done = compilation(graph, images, machine=machine, host="none", check_count=1)
    program = done.program
    assert program.host is not None
    states = program.host.input_codes(spec, graph.input_shape, images[:2])
    expected = evaluate(done.quantised, states)
    maps = [region.name for region in program.regions if region.kind == "map"]
    result = anna.Chip().run(program, images[:2], taps=maps)
    for name, codes in {**result.codes, **result.maps}.items():
        assert np.array_equal(codes, expected[name])
    for image in range(2):
        for name, codes in interpret(program, states[image]).items():
            assert np.array_equal(codes, expected[name][image])


def expect_sentences(error: AnnaError) -> None:
    """Each reason is one sentence, and no fault of the compiler's."""
    for reason in getattr(error, "reasons", (str(error),)):
        assert "internal error" not in reason
        assert "\n" not in reason
        assert len(reason) > 20


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("instruction_set", "aligned"), [("published", False), ("published", True), ("wide", False)])
@MANY
@given(data=st.data())
def test_any_chip_is_compiled_for_exactly_or_refused(instruction_set: str, aligned: bool, data: st.DataObject) -> None:
    values, sequencer = data.draw(specifications(instruction_set)), data.draw(sequencers(aligned))
    try:
        spec = ChipSpec.of(**values)
    except SpecError as error:
        expect_sentences(error)
        return
    for graph in (subsampled(), chained(spec)):
        try:
            expect_integers(graph, spec, sequencer)
        except CompileError as error:
            expect_sentences(error)


# --- one cause each ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "fields",
    [
        {"issue_width": 1},
        {"issue_width": 2, "calc_cycles": 3},
        {"states_out_per_cycle": 1},
        {"calc_cycles": 1, "states_out_per_cycle": 1},
        {"issue_width": 1, "calc_cycles": 1, "states_in_per_cycle": 1024},
    ],
)
def test_results_are_taken_in_time(fields: dict[str, int]) -> None:
    """However few instructions start in a cycle, and however long an OUT takes beside a CALC."""
    expect_integers(subsampled(maps=8), ANNA_WIDE.changed(**fields))


def test_more_results_than_a_row_has_columns() -> None:
    """An OUT counts states like a SHIFT, up to the columns of a row; more results than that are blocks."""
    expect_integers(subsampled(), ANNA_WIDE.changed(columns=16, neurons_at_once=64, fan_ins=(16, 32)))


def test_a_partial_sum_in_a_register_of_its_own_needs_a_row_for_it() -> None:
    spec = ANNA_WIDE.changed(columns=12, fan_ins=(12,), registers=3)
    expect_integers(chained(spec), spec)


@pytest.mark.parametrize("registers", [1, 2, 3])
@pytest.mark.parametrize("shift_from", ["either", "register", "shifter"])
def test_a_window_stays_in_its_register_only_where_nothing_else_passes_through_it(shift_from: str, registers: int) -> None:
    """Partial sums go into a latch of their own at each step: through a register, too, if a SHIFT follows one only there."""
    spec = ANNA_1991.changed(columns=10, registers=registers, shift_from=shift_from, fan_ins=(10, 20, 30, 40), word_states=1)
    expect_integers(chained(spec), spec)


def test_a_word_of_results_that_fits_no_page_is_refused() -> None:
    """Where words are aligned, the maps of one are computed on one page."""
    spec = ANNA_1991.changed(rows=1, fan_ins=(64,), word_states=64, neurons_at_once=64)
    with pytest.raises(CompileError, match=r"its results leave in words of 64, .* more than the 1 rows of a page"):
        expect_integers(subsampled(maps=8), spec, Sequencer(aligned=True))


def test_an_aligned_word_wider_than_a_latch_is_not_entered_from_its_middle() -> None:
    """Where nothing else is possible, the layer is refused."""
    fan_ins = (1, 2, 4, 5, 8, 10, 20, 40, 80, 120, 160, 200)
    spec = ANNA_1991.changed(columns=40, word_states=64, latches=64, registers=1, fan_ins=fan_ins, rows=8, neurons_at_once=2,
                             out_words=1, weight_bits=2, state_bits=1, state_levels="mid-rise", max_pages=64)  # fmt: skip
    with pytest.raises(CompileError, match="words of 64, which a sequencer of aligned words does not divide"):
        expect_integers(chained(spec), spec, Sequencer(overlap="none", aligned=True))


@pytest.mark.parametrize("width", [3, 4])
def test_a_map_without_inputs_in_a_part_has_a_register_of_its_own_if_it_must(width: int) -> None:
    """Its partial sum and its bias are all that it adds up."""
    table = np.array([[True] * 6] + [[True] + [False] * 5] * 2)
    weights = drawn(8, 3, 6, 1, 3) * table[:, :, None, None]
    layers = (Convolution("C", weights, drawn(9, 3), table, activation=SCALED_TANH),
              FullConnection("F", drawn(10, 2, 3 * (width - 2)), activation=NONE))  # fmt: skip
    expect_integers(Graph("sparse", (6, 1, width), layers), ANNA_WIDE.changed(columns=10, fan_ins=(10,)))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"columns": 2, "fan_ins": (2, 4)},
            "chip: a row of columns 2 has no room beside the 2 constants that carry a bias; choose columns of at least 3",
        ),
        (
            {"state_bits": 1, "state_levels": "mid-tread"},
            "chip: state_bits 1 and state_levels mid-tread leave the states -1 and 0, of which no constant can carry a bias; "
            "choose state_bits of at least 2 or state_levels mid-rise",
        ),
    ],
)
def test_a_chip_without_room_for_a_bias_is_refused(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(CompileError) as caught:
        expect_integers(subsampled(), ANNA_WIDE.changed(**fields))
    assert caught.value.reasons == (sentence,)
