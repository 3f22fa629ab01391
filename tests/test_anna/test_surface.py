"""The house: imports run one way, public names are exact, every file says what it is for."""

import ast
import importlib
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
from pages import PAGES, ROOT

import anna
import anna.lab
import anna.torch
import lenet
import sim

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


NAMESPACES = {"lab", "torch"}  # rooms that are public as such
PUBLIC = {
    anna: """
        ANNA_1991 ANNA_WIDE Activation Affine Analog AnnaError Arrangement Chip ChipSpec Combination CompileOptions
        Concatenation Convolution Die Ensemble Faults FullConnection Graph Interpreter MACHINES Machine Normalisation
        Plan Pool Prelu Prepare Program Rbf Reduction Region Result Softmax Subsample Tally Timeline Trim __version__
        assemble check_answers compilation compile disassemble elaborate engine_reference export export_rtl fit_host
        float_reference forward import_network input_codes lab listing load_network lockstep measure_trim perfetto plan
        run_chips save_drawing save_network simd_levels tally torch trim vcd verified violations
    """,
    anna.lab: """
        DigitBits KeptTrim Resolution TrimMeter compression converters coupling dac_levels digit_bits drift droop
        effective_bits gain_map kept_trim noise_law settling
    """,
    anna.torch: "ChipModule convert",
    lenet: "calibration define digits holdout load names record",
    sim: """
        ChipDiagnosis Comparison Energy Front Ledger Pixels Sensitivity Slant Store SweepSpec Yield ZipReading cellular
        chip_yield compare diagnose energy front ledger load_spec make_spec noise_removal read_yield read_zip run_sweep
        sensitivity slant
    """,
}


@pytest.mark.parametrize("package", PUBLIC, ids=lambda package: package.__name__)
def test_public_names_are_exact_and_all_there(package: ModuleType) -> None:
    assert sorted(package.__all__) == dir(package) == PUBLIC[package].split()
    for name in package.__all__ if package is not anna.torch or find_spec("torch") else ():
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no attribute 'chips'"):
        package.chips  # noqa: B018


@pytest.mark.parametrize("package", [package.__name__ for package in PUBLIC])
def test_a_public_name_stays_itself_whatever_is_imported(package: str) -> None:
    """A module of the same name would take its place."""
    public = importlib.import_module(package).__all__
    folder = ROOT / package.replace(".", "/")
    modules = {path.relative_to(folder).parts[0].removesuffix(".py") for path in folder.rglob("*.py")}
    assert not modules & set(public) - NAMESPACES


@pytest.mark.parametrize("package", [package.__name__ for package in PUBLIC])
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    heavy = "{'numpy', 'pydantic', 'matplotlib', 'torch', 'safetensors'}"
    code = f"import sys, {package}; print(*sorted(set(sys.modules) & {heavy}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == ""


USERS = [*PAGES, *sorted((ROOT / "examples").rglob("*.py"))]
FACES = {package.__name__ for package in PUBLIC}


def private_imports(text: str) -> list[str]:
    """Lines that import anything of ours but a public name of a public package; several packages may share a line."""
    found = []
    for line in re.findall(r"^\s*((?:import|from)\s+(?:anna|lenet|sim)\b.*)$", text, re.M):
        if line.startswith("from"):
            package, _, names = line.removeprefix("from").partition(" import ")
            public = getattr(sys.modules.get(package.strip()), "__all__", ()) if package.strip() in FACES else ()
            bad = {name.split()[0] for name in names.split("#")[0].strip("() ").split(",") if name.strip()} - set(public)
        else:
            bad = {name.split()[0] for name in line.removeprefix("import").split("#")[0].split(",")} - FACES
        found += [line] if bad else []
    return found


@pytest.mark.parametrize("path", USERS, ids=lambda path: path.name)
def test_pages_and_examples_import_public_names_only(path: Path) -> None:
    assert not private_imports(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("line", "private"),
    [("import anna, lenet", False), ("from anna import Chip", False), ("import anna.lab", False),
     ("from anna.lab import droop", False), ("    from anna.engine import Engine", True), ("import anna, sim.cli", True),
     ("from anna import engine", True), ("from anna.lab import pins", True)],
)  # fmt: skip
def test_a_private_import_is_found(line: str, private: bool) -> None:
    assert bool(private_imports(f"Text.\n{line}\n")) is private


def test_nothing_draws_from_a_hidden_seed() -> None:
    """No global or clock seeds: NumPy's legacy generator and Python's are not used."""
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"np\.random\.(rand|seed|normal|uniform|choice|randint|shuffle)\b", text), path
        assert not re.search(r"^import random$|^from random import", text, re.M), path
