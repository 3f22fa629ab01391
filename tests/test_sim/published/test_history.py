"""The page of history: counts against what is published, a plan of AlexNet, and how many boards would have read checks."""

import math
from pathlib import Path

import pytest

from lenet.networks.alexnet import PARAMETERS, alexnet
from sim.published import history as module
from sim.published import history_page as page
from sim.published.history import CHECKS, SHARE, History, boards, characters_per_s, history

DOCS = Path(__file__).parents[3] / "docs" / "history.md"


@pytest.fixture(scope="module")
def found() -> History:
    return history(lambda _: None)


def test_alexnet_has_the_published_counts() -> None:
    graph = alexnet()
    assert graph.parameters == PARAMETERS
    assert round(graph.parameters / 1e6, -1) == 60
    assert sum(step.units for step in graph if not step.layer.name.startswith("pool")) == pytest.approx(650_000, rel=0.02)


@pytest.mark.long
def test_the_line_grows_from_network_to_network(found: History) -> None:
    counted = [one for one in found.line if one.connections is not None]
    assert [one.year for one in found.line] == sorted(one.year for one in found.line)
    assert [one.connections for one in counted] == sorted(one.connections or 0 for one in counted)
    assert (counted[0].connections, counted[-2].connections) == (64_660, 340_908)  # P: LeNet-1, LeNet-5


@pytest.mark.long
def test_alexnet_takes_more_pages_than_its_weights_fill_and_more_time_than_the_peak_allows(found: History) -> None:
    plan = found.alexnet
    assert plan.pages > PARAMETERS / 4096
    assert found.alexnet_seconds > plan.chip_multiply_adds / 10.24e9
    assert found.alexnet_chips == math.ceil(found.alexnet_seconds)


@pytest.mark.long
def test_the_page_in_the_docs_is_what_the_command_writes(found: History) -> None:
    assert page.page(found) == DOCS.read_text(encoding="utf-8")
    assert f"{found.alexnet.pages:,} pages" in page.text(found) and found.content()["alexnet"]["chips"] == found.alexnet_chips


def test_boards_follow_from_what_is_assumed(monkeypatch: pytest.MonkeyPatch) -> None:
    a_second = CHECKS.value * SHARE.value * 5 * 3 / (250 * 8 * 3600)
    assert characters_per_s() == pytest.approx(a_second)
    assert boards(a_second) == 1 and boards(a_second / 2.5) == 3
    monkeypatch.setattr(module, "SHARE", module.Fact(2 * SHARE.value, SHARE.unit, SHARE.mark, SHARE.source))
    assert characters_per_s() == pytest.approx(2 * a_second)


def test_every_number_that_the_boards_depend_on_has_a_source() -> None:
    assert all(one.source and one.unit for one in module.ASSUMED)
