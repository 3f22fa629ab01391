"""The build: what is installed, the message for a missing or stale extension, the checked switch."""

import dataclasses
import importlib
import platform
import shutil
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path

import pytest

from anna import engine
from anna.base.errors import BuildError
from anna.engine.workload import Workload
from anna.native import fields, loader
from anna.native.fields import interface

ROOT = Path(__file__).parents[3]
MODULES = sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in (ROOT / "anna").rglob("*.pyx"))


def test_levels_end_with_plain():
    levels = engine.simd_levels()
    assert levels[-1] == "plain"
    assert len(set(levels)) == len(levels)


def test_the_build_says_whether_it_is_checked():
    assert engine.is_checked() in (True, False)


@pytest.mark.parametrize("name", MODULES)
def test_every_compiled_module_is_installed_and_built_from_these_sources(name):
    assert interface() == loader.compiled(name).INTERFACE


@pytest.mark.parametrize("name", MODULES)
def test_a_missing_module_is_told_in_one_sentence(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr(loader, "borrow", lambda: "")  # of an installed package that other sources may have made
    with pytest.raises(BuildError, match=rf"the compiled engine is not built \(.*{name}.*\): run `pip install \.`") as caught:
        loader.compiled(name)
    assert "\n" not in str(caught.value)


def test_a_stale_extension_is_refused():
    stale = types.ModuleType("_native")
    stale.INTERFACE = "0123456789ab"
    with pytest.raises(BuildError, match=f"has interface 0123456789ab, these sources need {interface()}"):
        loader.check_module(stale)


def test_every_change_of_a_field_changes_the_interface(monkeypatch):
    numbers = {interface.__wrapped__()}
    for change in ({"kind": "int64"}, {"shape": "ops"}, {"below": "slots"}, {"name": "other"}):
        monkeypatch.setattr(fields, "WORKLOAD", (replace(fields.WORKLOAD[0], **change), *fields.WORKLOAD[1:]))
        numbers.add(interface.__wrapped__())
    assert len(numbers) == 5


def test_the_table_lists_what_a_workload_has():
    assert {part.name for part in dataclasses.fields(Workload)} == {"slots", *(field.name for field in fields.WORKLOAD)}


def test_importing_the_engine_does_not_load_the_extension():
    code = "import sys, anna.engine; print('anna.native._native' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.skipif(not (ROOT / "tools" / "package_files.py").exists(), reason="tests run without the source tree")
def test_every_file_of_the_packages_is_installed(tmp_path):
    spec = importlib.util.spec_from_file_location("package_files", ROOT / "tools" / "package_files.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("a.py", "py.typed", "weights/w.safetensors", "__pycache__/a.pyc", "b.so", "c.pyx", ".hidden/x", "d.h"):
        path = tmp_path / "anna" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert module.package_files(tmp_path) == {
        "anna": ["anna/a.py", "anna/py.typed"],
        "anna/weights": ["anna/weights/w.safetensors"],
    }


def test_no_directives_in_cython_sources():
    """A `# cython:` line in a file would override the one place in meson.build."""
    for path in (*(ROOT / "anna").rglob("*.p[yx][xdi]"), *(ROOT / "lenet").rglob("*.p[yx][xdi]")):
        assert "# cython:" not in path.read_text(), path


@pytest.mark.parametrize(("unit", "refused"), [("sse", False), ("387", True)])
def test_a_build_whose_floats_are_evaluated_in_a_wider_format_is_refused(tmp_path: Path, unit: str, refused: bool) -> None:
    if platform.machine() != "x86_64" or shutil.which("gcc") is None:
        pytest.skip("SKIPPED: only gcc for x86-64 has a unit of wider floats")
    script = [sys.executable, ROOT / "tools" / "engine_fields.py", "header"]
    (tmp_path / "fields.h").write_text(subprocess.run(script, capture_output=True, text=True, check=True).stdout)
    source = tmp_path / "one.c"
    source.write_text('#include "engine.h"\n')
    command = ["gcc", f"-mfpmath={unit}", "-fsyntax-only", f"-I{tmp_path}", f"-I{ROOT / 'anna' / 'native'}", source]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (told.returncode != 0) is refused
    assert ("floats are evaluated in a wider format" in told.stderr) is refused
