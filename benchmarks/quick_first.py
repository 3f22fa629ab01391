"""A plugin of pytest that runs quick tests first, so that a fault is noticed soon: tests of the changed file's own name before
all others, then those of tenths of a second, then those of seconds.

How long each test took is learnt from every run and kept in the file that QUICK_FIRST names; QUICK_FIRST_STEM is the stem of
the changed file. Tests of one module stay together within their class of speed, since they share fixtures.
"""

import json
import os
from pathlib import Path

import pytest

CLASSES_S = (0.3, 2.0, 10.0)  # bounds between tests that run first and later
KEPT = Path(os.environ["QUICK_FIRST"])
STEM = os.environ.get("QUICK_FIRST_STEM", "")
seconds: dict[str, float] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
_now: dict[str, float] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    modules: dict[str, float] = {}
    for item in items:
        modules[item.path.name] = modules.get(item.path.name, 0.0) + seconds.get(item.nodeid, 0.0)

    def order(item: pytest.Item) -> tuple[bool, int, float, str]:
        name, took = item.path.name, seconds.get(item.nodeid, 0.0)
        return STEM not in name, sum(took > bound for bound in CLASSES_S), modules[name], name

    items.sort(key=order)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _now[report.nodeid] = _now.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish() -> None:
    beside = KEPT.with_suffix(".part")
    beside.write_text(json.dumps(seconds | _now))
    beside.replace(KEPT)
