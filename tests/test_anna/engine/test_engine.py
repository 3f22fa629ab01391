"""The engine equals its definition to the bit: each SIMD level, both kernels, any threads, lanes, order of images."""

import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from engine_reference import evaluate, random_workload
from hypothesis import given, settings
from hypothesis import strategies as st

from anna.analog import thermal
from anna.base.errors import DataError, MachineError
from anna.engine import Engine, run, simd_levels
from anna.engine.bounds import prove

OPTIONS = ("clamp", "noise", "stuck", "charge", "steps", "bent", "coupled", "unsettled", "slow")
FAST = ("clamp", "noise", "stuck", "bent", "steps", "coupled", "unsettled", "slow")


def random_images(rng, workload, images):
    levels = len(workload.numerators)
    codes = rng.integers(0, levels, (images, len(workload.input_slots))).astype(np.uint16 if levels > 256 else np.uint8)
    return codes, rng.integers(0, 2**64, images, dtype=np.uint64)


def check(workload, rng, images, noise_seed, lanes):
    codes, ids = random_images(rng, workload, images)
    expected = evaluate(workload, codes, ids, noise_seed)
    for simd in simd_levels():
        for kernel in (None, "wide"):
            engine = Engine(workload, simd=simd, kernel=kernel)
            got = engine.run(codes, ids, noise_seed=noise_seed, lanes=lanes)
            np.testing.assert_array_equal(got, expected, err_msg=f"{simd}, {engine.kernel}")
    order = rng.permutation(images)
    threaded = Engine(workload).run(codes[order], ids[order], noise_seed=noise_seed, threads=2, lanes=lanes)
    np.testing.assert_array_equal(threaded, expected[order], err_msg="two threads, images in another order")


@settings(max_examples=400, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    levels=st.sampled_from([2, 3, 5, 8, 8, 8, 16, 32, 64]),
    neurons=st.sampled_from([1, 3, 4, 8, 8, 11, 16]),
    calcs=st.integers(0, 6),
    weight=st.sampled_from([1, 31, 31 << 10, 32768, 65534, 2**20]),
    grain=st.sampled_from([0, 0, 1, 5, 10]),
    sparse=st.sampled_from([0.0, 0.3, 0.9, 1.0]),
    options=st.sets(st.sampled_from(FAST)),
    images=st.integers(1, 70),
    lanes=st.integers(1, 130),
    noise_seed=st.integers(0, 2**64 - 1),
)
def test_random_plans(seed, levels, neurons, calcs, weight, grain, sparse, options, images, lanes, noise_seed):
    rng = np.random.default_rng(seed)
    if levels & (levels - 1):
        options = options - {"stuck"}
    workload = random_workload(
        rng, levels=levels, neurons=neurons, calcs=calcs, weight=weight, grain=grain, sparse=sparse, options=frozenset(options)
    )
    check(workload, rng, images, noise_seed, lanes)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    levels=st.sampled_from([2, 8, 100, 256, 257, 4096, 65536]),
    weight=st.sampled_from([31, 2**21, 2**30]),
    options=st.sets(st.sampled_from(OPTIONS)),
    images=st.integers(1, 40),
    lanes=st.integers(1, 130),
    noise_seed=st.integers(0, 2**64 - 1),
)
def test_random_wide_plans(seed, levels, weight, options, images, lanes, noise_seed):
    rng = np.random.default_rng(seed)
    if levels & (levels - 1):
        options = options - {"stuck"}
    workload = random_workload(rng, levels=levels, calcs=3, fan_in=9, weight=weight, options=frozenset(options))
    check(workload, rng, images, noise_seed, lanes)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), shared=st.integers(0, 12), private=st.integers(0, 6), part=st.integers(1, 8))
def test_neurons_that_share_some_operands(seed, shared, private, part):
    """Convolutions: all neurons read some operands, parts of them read others, neurons in any order."""
    rng = np.random.default_rng(seed)
    workload = random_workload(rng, calcs=2, fan_in=0, slots=60, options=frozenset({"noise"}))
    group = rng.permutation(np.arange(8) // part)
    members = [np.ones(8, bool)] * shared + [group == g for g in np.unique(group) for _ in range(private)]
    weight = rng.integers(-32767, 32768, (len(members), 8)) * np.array(members).reshape(-1, 8)
    ops = len(members)
    workload = replace(
        workload,
        op_start=np.array([0, ops, 2 * ops]),
        op_slot=rng.integers(0, 60, 2 * ops).astype(np.int32),
        op_weight=np.tile(weight, (2, 1)).astype(np.int32),
    )
    check(workload, rng, 33, seed, 16)


@pytest.mark.parametrize("images", [*range(1, 35), 63, 64, 65, 127, 128, 129, 300])
@pytest.mark.parametrize("outputs", [1, 16, 37])
def test_any_number_of_images(images, outputs):
    rng = np.random.default_rng(images)
    workload = random_workload(rng, options=frozenset({"noise"}))
    workload = replace(workload, output_slots=rng.integers(0, workload.slots, outputs).astype(np.int32))
    codes, ids = random_images(rng, workload, images)
    expected = evaluate(workload, codes, ids, 5)
    for simd in simd_levels():
        np.testing.assert_array_equal(Engine(workload, simd=simd).run(codes, ids, noise_seed=5), expected, err_msg=simd)


def test_results_do_not_depend_on_company():
    """An image alone, in a crowd, or twice: the same row."""
    rng = np.random.default_rng(1)
    workload = random_workload(rng, options=frozenset({"noise"}))
    codes, ids = random_images(rng, workload, 50)
    engine = Engine(workload)
    together = engine.run(codes, ids, noise_seed=9)
    for i in (0, 17, 49):
        np.testing.assert_array_equal(engine.run(codes[[i, i]], ids[[i, i]], noise_seed=9), together[[i, i]])


def test_the_noise_seed_and_the_image_id_matter():
    rng = np.random.default_rng(2)
    workload = random_workload(rng, calcs=20, options=frozenset({"noise"}))
    codes, ids = random_images(rng, workload, 64)
    engine = Engine(workload)
    first = engine.run(codes, ids, noise_seed=1)
    assert (first != engine.run(codes, ids, noise_seed=2)).any()
    assert (first != engine.run(codes, ids + np.uint64(2**32), noise_seed=1)).any()
    assert (first != engine.run(codes, ids, noise_seed=1 + 2**32)).any()


def test_a_calc_of_several_groups_reads_before_it_writes():
    """Sixteen neurons that permute the states they read: a register transfer in place."""
    rng = np.random.default_rng(3)
    order = rng.permutation(16)
    workload = random_workload(rng, neurons=16, calcs=1, slots=16)
    workload = replace(
        workload,
        input_slots=np.arange(16, dtype=np.int32),
        constant_slots=np.zeros(0, np.int32),
        constant_codes=np.zeros(0, np.uint16),
        op_start=np.array([0, 16]),
        op_slot=np.arange(16, dtype=np.int32),
        op_weight=np.eye(16, dtype=np.int32)[:, order],
        thresholds=2 * np.arange(7)[None] - 6,
        table=np.zeros((1, 16), np.int32),
        out_slot=np.arange(16, dtype=np.int32)[None],
        output_slots=np.arange(16, dtype=np.int32),
    )
    codes = rng.integers(0, 8, (40, 16)).astype(np.uint8)
    for simd in simd_levels():
        engine = Engine(workload, simd=simd)
        assert engine.kernel == "narrow"
        np.testing.assert_array_equal(engine.run(codes, np.arange(40, dtype=np.uint64)), codes[:, order])


def test_the_narrow_kernel_stops_where_its_proof_does():
    """The largest sum that 32 bits hold is computed narrow and right; one more is given to the wide kernel."""
    rng = np.random.default_rng(4)
    workload = random_workload(rng, calcs=1, levels=2, slots=4)
    top = np.iinfo(np.int32).max

    def extreme(weights):
        ops = len(weights)
        weight = np.repeat(np.array(weights, np.int32)[:, None], 8, axis=1)
        return replace(
            workload,
            numerators=np.array([-32767, 32767], np.int32),
            op_start=np.array([0, ops]),
            op_slot=np.zeros(ops, np.int32),
            op_weight=weight,
            thresholds=np.array([[int(sum(weights)) * 32767]] * 5),
            input_slots=np.arange(4, dtype=np.int32),
            out_slot=np.arange(8, dtype=np.int32)[None] % 4,
        )

    most = (top - 1) // 32767
    narrow = extreme([65534, most - 65534])
    assert Engine(narrow).kernel == "narrow"
    assert Engine(narrow).bounds.largest_sum == most * 32767
    check(narrow, rng, 20, 0, 32)
    wide = extreme([65534, most - 65534, 1])
    assert Engine(wide).kernel == "wide"
    assert "of 32 bits" in Engine(wide).bounds.why_wide[0]
    check(wide, rng, 20, 0, 32)


def test_the_narrow_kernel_stops_where_places_of_slots_would_leave_32_bits():
    workload = random_workload(np.random.default_rng(0), levels=8, calcs=2, neurons=4, options=frozenset())
    assert prove(replace(workload, slots=2**25)).kernel == "narrow"
    assert "slots are more than" in prove(replace(workload, slots=2**25 + 1)).why_wide[0]


def test_the_narrow_kernel_stops_where_sums_of_sums_would_leave_32_bits():
    """A sum with all of its neighbours' and the step from the largest to the least: as far as 32 bits go, narrow and right."""
    rng = np.random.default_rng(15)
    workload = random_workload(rng, calcs=2, levels=2, slots=20, options=frozenset({"coupled", "unsettled"}))

    def extreme(weights):
        ops = len(weights)
        return replace(
            workload,
            numerators=np.array([-32767, 32767], np.int32),
            op_start=np.array([0, ops, 2 * ops]),
            op_slot=np.repeat(np.array([0, 1], np.int32), ops),
            op_weight=np.tile(np.array(weights, np.int32)[:, None], (2, 8)),
            thresholds=np.linspace(-(2.0**31), 2.0**31, 5).astype(np.int64)[:, None],
            coupled=np.full((2, 8), 2**16 - 1, np.int32),
            unsettled=np.full((2, 8), 2**16 - 1, np.int32),
            input_slots=np.array([0, 1], np.int32),
            constant_slots=np.zeros(0, np.int32),
            constant_codes=np.zeros(0, np.uint16),
            out_slot=np.arange(2, 18, dtype=np.int32).reshape(2, 8),
            output_slots=np.arange(2, 18, dtype=np.int32),
        )

    most = (2**31 - 1) // (6 * 32767)
    narrow, wide = extreme([most]), extreme([most, 1])
    assert Engine(narrow).kernel == "narrow"
    assert Engine(wide).kernel == "wide"
    check(narrow, rng, 40, 0, 32)
    check(wide, rng, 40, 0, 32)


def test_the_noise_margin_is_part_of_the_bound():
    workload = random_workload(np.random.default_rng(5), options=frozenset({"noise"}))
    steps = thermal.on_steps(
        workload.thresholds, workload.table.reshape(-1), np.full(workload.table.size, 2.0**31 / 8, np.float32)
    )
    loud = replace(
        workload,
        thresholds=steps.thresholds,
        grain=steps.grain.astype(np.int32),
        table=steps.table.astype(np.int32).reshape(workload.table.shape),
        strength=steps.strength.astype(np.int32).reshape(workload.table.shape),
    )
    assert Engine(workload).kernel == "narrow"
    assert Engine(loud).kernel == "wide"
    check(loud, np.random.default_rng(5), 20, 3, 32)


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), grain=st.integers(1, 14), apart=st.sampled_from([1, 300, 10922, 10923, 40000]))
def test_coarse_weights_meet_their_thresholds_exactly(seed, grain, apart):
    """Weights that share a power of two are divided by it: sums on a threshold, just below it, and far beyond all."""
    rng = np.random.default_rng(seed)
    workload = random_workload(rng, weight=31 << grain, grain=grain, sparse=0.2)
    middle = rng.integers(-50, 50, (5, 1)) << grain
    steps = np.cumsum(rng.integers(0, 2 * apart, (5, 7)), axis=1)
    thresholds = middle + ((steps - steps[:, 3:4]) << grain) + rng.integers(-1, 2, (5, 7))
    workload = replace(workload, thresholds=np.sort(thresholds, axis=1).astype(np.int64))
    check(workload, rng, 40, 0, 32)


def test_counts_of_multiply_adds():
    workload = random_workload(np.random.default_rng(6), sparse=0.2)
    workload = replace(workload, constant_slots=np.zeros(0, np.int32), constant_codes=np.zeros(0, np.uint16))
    stored = np.repeat(workload.out_slot >= 0, np.diff(workload.op_start), axis=0)
    for simd in simd_levels():
        engine = Engine(workload, simd=simd)
        assert engine.useful_macs == np.count_nonzero(workload.op_weight * stored)
        assert engine.padded_macs >= engine.useful_macs


@pytest.mark.parametrize("options", [frozenset(), frozenset({"steps", "noise", "clamp"})])
def test_constants_are_added_once(options):
    """A slot that nothing writes costs no multiply-add, whatever drives its synapses."""
    rng = np.random.default_rng(14)
    workload = random_workload(rng, sparse=0.2, slots=20, options=options)
    free = np.setdiff1d(np.arange(workload.slots), workload.out_slot)[:4].astype(np.int32)
    assert len(free)
    workload = replace(
        workload,
        input_slots=np.setdiff1d(np.arange(workload.slots), free).astype(np.int32),
        constant_slots=free,
        constant_codes=rng.integers(0, 8, len(free)).astype(np.uint16),
    )
    check(workload, rng, 40, 1, 32)
    read = np.where(np.isin(workload.op_slot, free)[:, None], 0, workload.op_weight)
    for simd in simd_levels():
        assert Engine(workload, simd=simd).padded_macs == Engine(replace(workload, op_weight=read), simd=simd).padded_macs


def test_no_images_and_no_calcs():
    rng = np.random.default_rng(7)
    workload = random_workload(rng, calcs=0)
    assert Engine(workload).run(np.zeros((0, len(workload.input_slots)), np.uint8), np.zeros(0, np.uint64)).shape == (0, 12)
    check(workload, rng, 10, 0, 32)


@pytest.mark.parametrize("kernel", ["narrow", "wide"])
def test_no_inputs_and_no_outputs(kernel):
    workload = random_workload(np.random.default_rng(13), options=frozenset({"noise"}))
    ids = np.arange(40, dtype=np.uint64)
    nothing = replace(workload, input_slots=np.zeros(0, np.int32))
    codes = np.zeros((40, 0), np.uint8)
    np.testing.assert_array_equal(
        Engine(nothing, kernel=kernel).run(codes, ids, noise_seed=3), evaluate(nothing, codes, ids, 3)
    )
    silent = replace(nothing, output_slots=np.zeros(0, np.int32))
    assert Engine(silent, kernel=kernel).run(codes, ids).shape == (40, 0)


def test_run_packs_and_runs():
    rng = np.random.default_rng(8)
    workload = random_workload(rng)
    codes, ids = random_images(rng, workload, 9)
    np.testing.assert_array_equal(run(workload, codes, ids, noise_seed=0), evaluate(workload, codes, ids, 0))


def test_the_gil_is_dropped():
    """Python runs in the middle of one call into C. Were the lock held, no tick could lie inside the call."""
    rng = np.random.default_rng(9)
    workload = random_workload(rng, calcs=300, fan_in=200, slots=600, sparse=0.0)
    codes, ids = random_images(rng, workload, 20_000)
    engine = Engine(workload, simd="plain")
    span = []

    def work():
        began = time.perf_counter()
        engine._native.run("plain", codes, ids, 0, 64, np.zeros((len(codes), 12), np.uint8))
        span.extend([began, time.perf_counter()])

    thread = threading.Thread(target=work)
    ticks = []
    thread.start()
    while thread.is_alive():
        ticks.append(time.perf_counter())
        time.sleep(0.001)
    thread.join()
    began, ended = span
    margin = (ended - began) / 4
    assert any(began + margin < tick < ended - margin for tick in ticks)


LONG_RUN = """
import sys, numpy as np
from engine_reference import random_workload
from anna.engine import Engine
workload = random_workload(np.random.default_rng(1), calcs=300, fan_in=200, slots=600, sparse=0.0)
engine = Engine(workload, simd="plain", kernel="wide")
codes = np.zeros((200_000, len(workload.input_slots)), np.uint8)
print("running", flush=True)
engine.run(codes, np.arange(200_000, dtype=np.uint64), threads=int(sys.argv[1]))
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_a_long_run(threads):
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(path for path in sys.path if path))
    command = [sys.executable, "-P", "-c", LONG_RUN, str(threads)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as run_:
        assert run_.stdout is not None
        assert run_.stdout.readline() == "running\n"
        time.sleep(0.3)
        began = time.perf_counter()
        run_.send_signal(signal.SIGINT)
        _, errors = run_.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    assert time.perf_counter() - began < 30  # the whole run takes minutes


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"op_slot": np.array([99])}, "workload: op_slot holds 99; expected 0 to 39"),
        ({"out_slot": np.array([[-2]])}, "workload: out_slot holds -2; expected -1 to 39"),
        ({"table": np.array([[5]])}, "workload: table holds 5; expected 0 to 4"),
        ({"constant_codes": np.array([8, 0])}, "workload: constant_codes holds 8; expected 0 to 7"),
        ({"op_start": np.array([0, 2])}, "workload: op_start must rise from 0 to the number of operands, 1"),
        ({"op_weight": np.array([[2**31]])}, "workload: op_weight does not fit int32"),
        (
            {"op_weight": np.array([[1, 1]])},
            r"workload: op_weight has shape \(1, 2\); expected \(1, 1\) for ops, neurons",
        ),
        ({"thresholds": np.zeros((5, 7)) - np.arange(7)}, "workload: thresholds must not fall within a table"),
        ({"slow_sigma": np.array([[np.inf]])}, "workload: slow_sigma must be finite and not negative"),
        ({"strength": np.array([[1]])}, "workload: strength is given without grain"),
        ({"strength": np.array([[32768]]), "grain": np.zeros(5)}, "workload: strength holds 32768; expected 0 to 32767"),
        ({"charge_sigma": np.array([[1.0]])}, "workload: charge_sigma is given without charge_refresh"),
        ({"or_mask": np.array([[8]])}, "workload: or_mask holds 8; expected 0 to 7"),
    ],
)
def test_a_broken_workload_is_refused(change, sentence):
    workload = random_workload(np.random.default_rng(10), neurons=1, calcs=1, fan_in=0)
    workload = replace(
        workload,
        op_start=np.array([0, 1]),
        op_slot=np.array([0], np.int32),
        op_weight=np.array([[1]], np.int32),
    )
    Engine(workload)
    with pytest.raises(MachineError, match=sentence):
        Engine(replace(workload, **change))


def test_bad_images_are_refused():
    rng = np.random.default_rng(11)
    workload = random_workload(rng, slots=40)
    inputs = len(workload.input_slots)
    codes, ids = random_images(rng, workload, 100)
    engine = Engine(workload)
    for dtype, value in ((np.uint8, 200), (np.uint16, 300)):
        bad = codes.astype(dtype)
        bad[71, inputs - 1] = value
        sentence = f"image 71, input {inputs - 1}: code is {value}; expected 0 to 7, since a state has 8 levels"
        for kernel in ("narrow", "wide"):
            for threads in (1, 2):
                with pytest.raises(DataError, match=sentence):
                    Engine(workload, kernel=kernel).run(bad, ids, threads=threads)
    with pytest.raises(DataError, match="codes are float64; expected uint8 or uint16"):
        engine.run(codes.astype(float), ids)
    with pytest.raises(DataError, match=rf"codes have shape \(100, {inputs + 1}\); expected \(images, {inputs}\)"):
        engine.run(np.zeros((100, inputs + 1), np.uint8), ids)
    with pytest.raises(DataError, match=r"image ids are int64 \(100,\); expected uint64 \(100,\), one per image"):
        engine.run(codes, np.arange(100))


def test_bad_arguments_are_refused():
    workload = random_workload(np.random.default_rng(12))
    codes, ids = np.zeros((1, len(workload.input_slots)), np.uint8), np.zeros(1, np.uint64)
    with pytest.raises(MachineError, match=r"SIMD level 'mmx' is not available on this machine; expected one of .*plain"):
        Engine(workload, simd="mmx")
    with pytest.raises(MachineError, match="there is no kernel 'middle'; expected 'narrow' or 'wide'"):
        Engine(workload, kernel="middle")
    with pytest.raises(MachineError, match="the noise seed is -1; expected 0 to 2"):
        Engine(workload).run(codes, ids, noise_seed=-1)
    with pytest.raises(MachineError, match="threads is 0; expected at least 1"):
        Engine(workload).run(codes, ids, threads=0)
    with pytest.raises(MachineError, match="lanes is 0; expected at least 1"):
        Engine(workload).run(codes, ids, lanes=0)
    wide = random_workload(np.random.default_rng(12), levels=100)
    with pytest.raises(MachineError, match="the narrow kernel cannot run this workload: 100 levels are more than 64"):
        Engine(wide, kernel="narrow")
