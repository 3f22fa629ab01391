"""Options of the whole test suite, and what its markers ask for."""

import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the outcomes that were obtained as expected ones")
    parser.addoption("--long", action="store_true", help="run those tests, too, that take minutes each")
    parser.addoption("--programs", type=int, default=2000, help="random legal programs to run through all evaluators")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("data") and not os.environ.get("ANNA_DATA"):
        pytest.skip("ANNA_DATA names no folder: the full MNIST and USPS are NOT tested")
    if item.get_closest_marker("long") and not item.config.getoption("--long"):
        pytest.skip("takes minutes: only with --long")


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))
