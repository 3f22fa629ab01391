"""Frozen values stay as they were built: one place writes to them, while they are built."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_only_their_construction_writes_to_frozen_values() -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for package in ("anna", "lenet", "sim")
        for path in sorted((ROOT / package).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "__setattr__"
    ]
    assert found == ["anna/base/frozen.py"]
