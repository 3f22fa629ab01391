"""Published numbers of compiled networks, and every application on every machine: as their rows and the page say."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from anna.base.errors import AnnaError
from anna.chip.machines import MACHINES
from sim.published import page
from sim.published.findings import judge
from sim.published.misses import REASONS
from sim.published.networks import APPLICATIONS
from sim.published.quantities import COMPILED, Quantities, settings_of
from sim.published.row import Row
from sim.published.rows import ROWS
from sim.published.runs import Runs, Setting
from sim.published.speeds import settings, speed

PAGE = Path(__file__).parents[3] / "docs" / "published.md"
LARGEST_OVER_BOUND = 0.05  # of the recogniser's schedule
ROWS_COMPILED = [row for row in ROWS if row.by is not None and row.by.quantity in COMPILED]
RECOGNISER_1991 = Setting("recognizer", "wide", positions=1)


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    with Runs() as made:
        needed = [one for row in ROWS_COMPILED if row.by is not None for one in settings_of(row.by)]
        made.ahead([*needed, *settings(tuple(MACHINES))], workers=2)
        yield made


def expect_on_the_page(cells: tuple[str, ...]) -> None:
    assert page.markdown(cells, []).splitlines()[0] in PAGE.read_text(encoding="utf-8").splitlines()


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS_COMPILED, ids=lambda row: row.name)
def test_a_number_is_met_or_its_miss_is_explained_and_the_page_shows_it(row: Row, runs: Runs) -> None:
    finding = judge(row, Quantities(runs, threads=2))
    assert not finding.refused, finding.refused
    if row.expected is not None:
        assert finding.verdict == ("missed" if row.name in REASONS else "met"), f"predicted {finding.predicted}"
    expect_on_the_page(page.markdown_cells(finding))


@pytest.mark.slow
@pytest.mark.parametrize("network", APPLICATIONS)
@pytest.mark.parametrize("machine", MACHINES)
def test_the_page_shows_every_application_on_every_machine(network: str, machine: str, runs: Runs) -> None:
    found = speed(runs, Setting(network, machine))
    assert not found.refused
    if network == "recognizer":
        assert found.over_bound <= LARGEST_OVER_BOUND
    expect_on_the_page(page.speed_cells(found))


def test_what_is_compiled_ahead_is_what_is_compiled_when_asked() -> None:
    with Runs() as ahead:
        ahead.ahead([RECOGNISER_1991], workers=2)
        assert ahead.run(RECOGNISER_1991).report == Runs().run(RECOGNISER_1991).report


def test_without_refresh_the_pages_of_a_network_of_one_page_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    report = {
        "cycles_per_image": 130.0,
        "run_cycles": 90,
        "page_load_cycles_per_image": 20.0,
        "pages": 1,
        "bound_cycles": 105.0,
    }
    monkeypatch.setattr("sim.published.runs.compiled", lambda _: report)
    run = Runs().run(Setting("lenet5", "sequencer"))
    assert (run.cycles(refresh=True), run.cycles(refresh=False), run.bound_cycles) == (130.0, 90.0, 85.0)
    report["pages"] = 2
    assert (run.cycles(refresh=True), run.cycles(refresh=False), run.bound_cycles) == (130.0, 110.0, 105.0)


def test_a_refusal_is_remembered_and_raised_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.published.runs.compiled", lambda _: "C1: no room")
    runs = Runs()
    for _ in range(2):
        with pytest.raises(AnnaError, match="C1: no room"):
            runs.run(Setting("lenet5", "sequencer"))


def test_a_setting_changes_the_machine_where_it_is_asked_to() -> None:
    machine = Setting("lenet5", "board-1996", overlap="all", bytes_per_s=5e6, issue_width=2).on()
    assert (machine.sequencer.overlap, machine.sequencer.bytes_per_s, machine.chip.issue_width) == ("all", 5e6, 2)
    assert Setting("lenet5", "board-1996").on() == MACHINES["board-1996"]


def test_every_quantity_of_a_compiled_network_says_what_it_needs() -> None:
    needed = {row.name: settings_of(row.by) for row in ROWS if row.by is not None}
    assert needed["clock"] == []
    assert needed["convolver-configuration"] == [Setting("convolver", "sequencer")]
    assert len(needed["sequencer-speed-up"]) == 2 * 3
    assert needed["recognizer-time"] == [Setting("recognizer", "sequencer", positions=1, batch=1)]
