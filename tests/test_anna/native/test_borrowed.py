"""A clone right after `pip install .`: Python finds its sources first, and they use the installed compiled modules."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import anna

ROOT = Path(__file__).parents[3]
INSTALLED = Path(anna.__file__).parents[1]
USE = """
import anna, lenet.classical.tangent_distance, numpy
from lenet.classical.tangent_distance import squares
assert anna.__file__.startswith({here!r}), anna.__file__
program = anna.assemble(open("examples/edges.asm").read())
print(anna.Chip().run_codes(program, numpy.zeros((1, *program.input.shape), int)).codes.keys(), anna.simd_levels()[-1])
print(squares(numpy.ones((1, 5, 5)), numpy.ones((1, 5, 5)), numpy.array([[0]]))[0, 0])
"""
pytestmark = pytest.mark.skipif(
    not (INSTALLED / "anna/native/sources.txt").exists() or ROOT == INSTALLED,
    reason="these tests run on a source tree, not on an installed package: borrowing was NOT tested",
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("anna", "lenet", "tools", "examples"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    shutil.copy(ROOT / "meson.build", tmp_path)
    return tmp_path


def used(clone: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONSAFEPATH")}
    command = [sys.executable, "-c", USE.format(here=str(clone))]
    return subprocess.run(command, cwd=clone, env=environment, capture_output=True, text=True, check=False)


def test_the_sources_of_a_clone_use_the_modules_that_were_installed_from_them(clone: Path) -> None:
    done = used(clone)
    assert done.returncode == 0, done.stderr
    assert "plain" in done.stdout


@pytest.mark.parametrize(
    "changed",
    [
        "anna/native/mix.h",
        "lenet/classical/tangent.pyx",
        "meson.build",
        "anna/native/fields.py",
        "anna/native/levels.py",
        "tools/simd_levels.py",
    ],
)
def test_other_sources_do_not_use_them(clone: Path, changed: str) -> None:
    """Old kernels under new sources would be other bits, and nobody would know."""
    path = clone / changed
    path.write_text(path.read_text() + "\n")
    told = used(clone).stderr.splitlines()[-1]
    assert f"the package installed in {INSTALLED} was built from other sources than those in {clone}" in told
    assert "run `pip install .`" in told
