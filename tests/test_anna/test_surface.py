"""The house: imports run one way, public names are exact, every file says what it is for."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import anna

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


def test_public_names_are_exact_and_all_there() -> None:
    assert sorted(anna.__all__) == sorted(set(anna.__all__))
    for name in anna.__all__:
        assert getattr(anna, name) is not None
    with pytest.raises(AttributeError, match="module 'anna' has no attribute 'chips'"):
        anna.chips  # noqa: B018


def test_importing_anna_loads_nothing_heavy() -> None:
    code = "import sys, anna; print(*sorted(set(sys.modules) & {'numpy', 'pydantic', 'matplotlib', 'torch', 'safetensors'}))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == ""


def test_nothing_draws_from_a_hidden_seed() -> None:
    """No global or clock seeds: NumPy's legacy generator and Python's are not used."""
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"np\.random\.(rand|seed|normal|uniform|choice|randint|shuffle)\b", text), path
        assert not re.search(r"^import random$|^from random import", text, re.M), path
