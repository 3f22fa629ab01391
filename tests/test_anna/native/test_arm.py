"""Another processor, the same bits: the kernels compiled for ARM and run by QEMU."""

import arm_kernels
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import legal_programs, random_codes

from anna import Chip
from anna.base.errors import DataError
from anna.engine import Engine

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(arm_kernels.MISSING), reason=f"SKIPPED: {' and '.join(arm_kernels.MISSING)} not installed"),
]


@pytest.fixture(scope="module", autouse=True)
def kernels():
    """Built once; each test says what it runs there.

    Optimised less than by `nox -s arm`: that takes two fifths of the time to compile, and none more under QEMU.
    """
    with arm_kernels.built(optimisation=1) as found:
        yield found


def test_arm_has_levels_of_its_own_and_the_best_comes_first(kernels):
    assert kernels.levels() == ("neonaes", "neon", "plain")


def test_random_workloads_with_every_imperfection(kernels):
    for workload, codes, ids in arm_kernels.random_runs(10):
        for kernel in (None, "wide"):
            here = Engine(workload, simd="plain", kernel=kernel).run(codes, ids, noise_seed=19)
            with kernels.in_use():
                for simd in kernels.levels():
                    there = Engine(workload, simd=simd, kernel=kernel).run(codes, ids, noise_seed=19)
                    np.testing.assert_array_equal(there, here, err_msg=simd)


@settings(max_examples=5, deadline=None)
@given(program=legal_programs(), seed=st.integers(0, 2**31))
def test_random_programs_on_drawn_chips(kernels, program, seed):
    codes = random_codes(program, 5, seed)
    for chip in (Chip, lambda: Chip(seed=seed, analog="worst")):  # made anew each time: nothing is prepared yet
        with kernels.in_use():
            there = [chip().run_codes(program, codes, noise_seed=seed, simd=simd, threads=1) for simd in kernels.levels()]
        here = chip().run_codes(program, codes, noise_seed=seed)
        for name in here.codes:
            for one in there:
                np.testing.assert_array_equal(one.codes[name], here.codes[name], err_msg=name)


def test_a_bad_code_is_found_there_too(kernels):
    workload, codes, ids = arm_kernels.random_runs(1)[0]
    codes[5, 0] = 8
    for simd in kernels.levels():
        with kernels.in_use(), pytest.raises(DataError, match="image 5, input 0: code is 8"):
            Engine(workload, simd=simd).run(codes, ids)


def test_another_seed_gives_other_bits(kernels):
    """The control: what runs there does depend on what it is given."""
    workload, codes, ids = next(one for one in arm_kernels.random_runs(10) if one[0].strength is not None)
    with kernels.in_use():
        found = [Engine(workload).run(codes, ids, noise_seed=seed) for seed in (19, 20)]
    assert not np.array_equal(*found)
