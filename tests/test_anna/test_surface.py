"""The house: imports run one way, public names are exact, every file says what it is for."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import anna
import lenet
import sim

ROOT = Path(__file__).parents[2]
PACKAGES = ("anna", "lenet", "sim")
ALLOWED = {"anna": {"anna"}, "lenet": {"anna", "lenet"}, "sim": {"anna", "lenet", "sim"}}
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} imports by relative name"
            names.add(node.module)
    return names


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {name.split(".")[0] for name in imported(path)} & set(PACKAGES)
    assert ours <= ALLOWED[package]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


PUBLIC = {
    anna: """
        ANNA_1991 Analog AnnaError BOARD_1991 BOARD_1996 BoardSpec Chip ChipSpec CompileOptions Die Faults
        Interpreter Program Region Result Timeline Trim __version__ assemble compile disassemble elaborate
        engine_reference input_codes lockstep measure_trim run_chips trim verified violations
    """,
    lenet: "calibration define digits holdout load names record",
    sim: "Comparison Ledger Store SweepSpec compare ledger load_spec make_spec run_sweep",
}


@pytest.mark.parametrize("package", PUBLIC, ids=lambda package: package.__name__)
def test_public_names_are_exact_and_all_there(package: ModuleType) -> None:
    assert sorted(package.__all__) == dir(package) == PUBLIC[package].split()
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'chips'"):
        package.chips  # noqa: B018


@pytest.mark.parametrize("package", PACKAGES)
def test_a_public_name_stays_itself_whatever_is_imported(package: str) -> None:
    """A module of the same name would take its place."""
    public = __import__(package).__all__
    modules = {path.relative_to(ROOT / package).parts[0].removesuffix(".py") for path in (ROOT / package).rglob("*.py")}
    assert not modules & set(public)


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    heavy = "{'numpy', 'pydantic', 'matplotlib', 'torch', 'safetensors'}"
    code = f"import sys, {package}; print(*sorted(set(sys.modules) & {heavy}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == ""


def test_nothing_draws_from_a_hidden_seed() -> None:
    """No global or clock seeds: NumPy's legacy generator and Python's are not used."""
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"np\.random\.(rand|seed|normal|uniform|choice|randint|shuffle)\b", text), path
        assert not re.search(r"^import random$|^from random import", text, re.M), path
