"""The house: imports run down from floor to floor, and in no circle; a newcomer finds in ARCHITECTURE.md where things are."""

import re
import shutil
from pathlib import Path

import house
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources in a folder of their own, to plant faults in."""
    for package in house.PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "*.gz", "*.safetensors")
        )
    return tmp_path


def plant(root: Path, module: str, line: str) -> None:
    path = root / (module.replace(".", "/") + ".py")
    path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")


def test_every_room_is_on_a_floor_and_every_floor_is_there() -> None:
    rooms = {path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in ROOT.glob("*/*/__init__.py")}
    rooms = {room for room in rooms if room.split(".")[0] in house.PACKAGES}
    assert rooms == {f"{package}.{room}" for package, floors in house.FLOORS.items() for floor in floors for room in floor}


def test_imports_run_down() -> None:
    assert house.arrows_up(ROOT) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    assert house.circles(house.imports(ROOT)) == []


@pytest.mark.parametrize(
    "line",
    [
        "\nfrom anna.compiler.passes import compilation\n",
        "\ndef late() -> None:\n    import anna.machine.chip\n",
        "\nfrom typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from anna.network import graph\n",
        "\nfrom sim import cli\n",
        "\nfrom anna import elaborate\n",
    ],
    ids=["at the top", "in a function", "for the type checker", "from another package", "from the public face"],
)
def test_an_arrow_up_is_found(copy: Path, line: str) -> None:
    plant(copy, "anna.chip.spec", line)
    assert [found.split(" ")[0] for found in house.arrows_up(copy)] == ["anna.chip.spec"]


def test_an_arrow_up_from_cython_is_found(copy: Path) -> None:
    path = copy / "anna" / "native" / "_native.pyx"
    path.write_text(path.read_text(encoding="utf-8") + "\nfrom anna.machine.chip cimport Chip\n", encoding="utf-8")
    assert any("anna.machine.chip" in found for found in house.arrows_up(copy))


def test_a_circle_within_a_room_is_found(copy: Path) -> None:
    plant(copy, "anna.analog.draws", "\ndef late() -> None:\n    from anna.analog import die\n")
    assert any({"anna.analog.draws", "anna.analog.die"} <= set(ring) for ring in house.circles(house.imports(copy)))


def test_a_room_on_no_floor_is_found(copy: Path) -> None:
    (copy / "anna" / "attic").mkdir()
    (copy / "anna" / "attic" / "__init__.py").write_text('"""Old things."""\nfrom anna.chip import spec\n', encoding="utf-8")
    with pytest.raises(LookupError, match=r"anna\.attic is on no floor"):
        house.arrows_up(copy)


ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
STEP = re.compile(r"^\| (?P<number>\d*) *\| (?:`(?P<room>[\w.]+)`)? *\| `(?P<file>[\w./]+): (?P<name>\w+)` \|", re.M)
WALKS = dict(zip(("an image to a label", "a weight to an operand", "an analog parameter to a bit"),
                 re.split(r"^### ", ARCHITECTURE, flags=re.M)[1:], strict=True))  # fmt: skip


@pytest.mark.parametrize("walk", WALKS)
def test_each_step_of_a_walk_names_what_exists(walk: str) -> None:
    steps = list(STEP.finditer(WALKS[walk]))
    assert len(steps) >= 5
    for step in steps:
        text = (ROOT / step["file"]).read_text(encoding="utf-8")
        defined = rf"^(?:def|class|cdef class|cpdef|static [\w\s*]+?) ?{step['name']}\b"
        assert re.search(defined, text, re.M), f"{step['file']} does not define {step['name']}"


@pytest.mark.parametrize("walk", WALKS)
def test_a_walk_enters_no_room_twice(walk: str) -> None:
    rooms = []
    for step in STEP.finditer(WALKS[walk]):
        room = house.room_of(step["file"].rpartition(".")[0].replace("/", "."))
        assert step["room"] in (room, None)
        if not rooms or rooms[-1] != room:
            assert step["room"] and step["number"], f"{room} is entered without a line of its own"
            rooms.append(room)
    assert len(rooms) == len(set(rooms))


def test_the_architecture_page_draws_the_house_that_is_tested() -> None:
    block = re.search(r"^## The house\n\n((?:    .*\n|\n)+)", ARCHITECTURE, re.M)
    assert block
    drawn: dict[str, list[tuple[str, ...]]] = {}
    package = ""
    for line in filter(None, (line[4:] for line in block[1].splitlines())):
        package = line[:8].strip() or package
        drawn.setdefault(package, []).append(tuple(re.split(r"\s{2,}", line[8:44].strip().replace("   ", "  "))))
    drawn["lenet"].remove(("weights",))  # data only: no module
    assert {package: tuple(reversed(floors)) for package, floors in drawn.items()} == house.FLOORS


def test_every_file_that_the_architecture_page_names_is_there() -> None:
    named, folder = [], ""
    for path in re.findall(r"`([\w/]+\.(?:py|h|md|pyx))[:`]", ARCHITECTURE):
        folder = path.rpartition("/")[0] or folder
        named.append(path if "/" in path else f"{folder}/{path}")  # a bare name stands beside the file named before it
    assert len(named) > 30
    assert [path for path in named if not (ROOT / path).exists()] == []
