"""A command loads what it needs, and help needs nothing."""

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ELSEWHERE, ENV

import anna
from sim.cli.main import COMMANDS


def loaded(*arguments: str | Path) -> set[str]:
    """The modules that a command has loaded when it ends, but for the one that looks whether `anna` is ours."""
    script = (
        "import contextlib, io, sys\n"
        "from sim.cli.start import main\n"
        "with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())), contextlib.suppress(SystemExit):\n"
        "    main()\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, cwd=ELSEWHERE, env=ENV, check=True
    )
    return set(done.stdout.split()) - {"lenet.base", "lenet.base.other_anna"}


def rooms(modules: set[str]) -> set[str]:
    return {".".join(module.split(".")[:2]) for module in modules if module.startswith(("anna.", "lenet.", "sim."))}


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("-x",), ("compaer",), ()])
def test_help_and_usage_errors_load_neither_numpy_nor_pydantic_nor_any_command(arguments: tuple[str, ...]) -> None:
    found = loaded(*arguments)
    assert not found & {"numpy", "pydantic", "safetensors"}
    assert rooms(found) <= {"anna.base", "sim.cli"}
    assert not {module for module in found if module.removeprefix("sim.cli.").rstrip("_").replace("_", "-") in COMMANDS}


def test_a_command_loads_no_other_command() -> None:
    found = loaded("info", "--help")
    commands = {name for name in COMMANDS if f"sim.cli.{name.replace('-', '_')}" in found or f"sim.cli.{name}_" in found}
    assert commands == {"info"}


def test_the_description_of_a_program_loads_neither_compiler_nor_engine_nor_figures(tmp_path: Path) -> None:
    file = tmp_path / "edges.anna"
    source = Path(__file__).parents[3] / "examples" / "edges.asm"
    anna.assemble(source.read_text(encoding="utf-8")).save(file)
    found = loaded("info", file)
    assert rooms(found) <= {"anna.base", "anna.native", "anna.chip", "anna.program", "anna.sequencer", "sim.cli"}
    assert not found & {"matplotlib", "onnx", "torch"}


def test_a_comparison_with_its_page_loads_no_plotting_library(tmp_path: Path) -> None:
    found = loaded("compare", "--count", "20", "--chips", "1", "--ledger", "none", "-o", tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8").count("<svg") == 7
    assert "matplotlib" not in found
