"""What names the package's version and needs elsewhere agrees with pyproject.toml; another package named anna is told."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import anna

ROOT = Path(__file__).parents[1]
STATED = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RECIPE = (ROOT / "tools" / "conda" / "recipe.yaml").read_text(encoding="utf-8")
NOT_OURS = "Python finds another package named anna at {at}, not the chip simulator of the distribution anna-chip"


def listed(heading: str) -> set[str]:
    """The entries of a list of the recipe, without spaces."""
    block = re.search(rf"^  {heading}:\n((?:    - .*\n)+)", RECIPE, re.M)
    assert block is not None
    return {line.removeprefix("    - ").replace(" ", "") for line in block[1].splitlines()}


def test_the_citation_and_the_recipe_have_the_version() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.findall(r"^version: (.+)$", citation, re.M) == [anna.__version__]
    assert re.findall(r'^  version: "(.+)"$', RECIPE, re.M) == [anna.__version__]


def test_the_recipe_needs_what_the_package_needs() -> None:
    project = STATED["project"]
    names = {"matplotlib": "matplotlib-base"}  # conda's name for it without windows
    wanted = {re.sub(r"^[\w-]+", lambda found: names.get(found[0], found[0]), one) for one in project["dependencies"]}
    assert listed("run") == wanted | {f"python{project['requires-python']}"}
    assert listed("host") >= {*STATED["build-system"]["requires"], f"python{project['requires-python']}"}
    assert [f"{name} = {target}" for name, target in project["scripts"].items()] == re.findall(
        r"^      - (anna = .*)$", RECIPE, re.M
    )
    assert f"  name: {project['name']}\n" in RECIPE


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """A folder with another package of the name."""
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "__init__.py").write_text("__version__ = '0.5.2'\n")
    return tmp_path


def run_with(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    first = f"import sys; sys.path.insert(0, {str(folder)!r})\n"
    return subprocess.run([sys.executable, "-P", "-c", first + code], capture_output=True, text=True, check=False)


def test_the_command_tells_another_anna_in_a_sentence(other: Path) -> None:
    done = run_with(other, "import sys\nfrom sim.cli.start import main\nsys.exit(main())")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("anna: " + NOT_OURS.format(at=other / "anna" / "__init__.py"))
    assert done.stderr.count("\n") == 1


def test_an_anna_whose_own_needs_are_missing_is_told_too(other: Path) -> None:
    (other / "anna" / "__init__.py").write_text("import a_package_that_nobody_has\n")
    assert run_with(other, "import sys\nfrom sim.cli.start import main\nsys.exit(main())").stderr.startswith(
        "anna: Python finds"
    )


@pytest.mark.parametrize("use", ["import sim; sim.compare", "import lenet; lenet.load('lenet5')"])
def test_python_code_meets_another_anna_as_an_import_error(other: Path, use: str) -> None:
    last = run_with(other, use).stderr.splitlines()[-1]
    assert last.startswith("ImportError: " + NOT_OURS.format(at=other / "anna" / "__init__.py"))
