"""The lock of the developers' tasks: exact versions with hashes, which satisfy pyproject.toml."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCK = ROOT / ".ci" / "lock"


def check(folder: Path = LOCK, project: Path = ROOT / "pyproject.toml") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools" / "lock.py", "--check", "--folder", folder, "--project", project]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_lock_satisfies_pyproject() -> None:
    done = check()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_requirement_that_the_lock_does_not_satisfy_is_told(tmp_path: Path) -> None:
    stated = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(stated.replace('"pydantic>=2.6"', '"pydantic>=99", "anna-unknown"'))
    done = check(project=tmp_path / "pyproject.toml")
    assert done.returncode == 1
    assert re.search(r"test.txt has pydantic [\d.]+; pyproject.toml wants pydantic>=99: run `nox -s lock`", done.stdout)
    assert "lint.txt has anna-unknown not at all" in done.stdout


@pytest.mark.parametrize("line", ["numpy==2.4.6", "numpy>=2", "--pre", "-r more.txt"])
def test_a_line_without_a_hash_is_told(tmp_path: Path, line: str) -> None:
    shutil.copytree(LOCK, tmp_path / "lock")
    with (tmp_path / "lock" / "build.txt").open("a") as file:
        file.write(f"{line}\n")
    done = check(folder=tmp_path / "lock")
    assert done.returncode == 1 and f"build.txt has something else than versions and hashes: {line}" in done.stdout


def test_two_files_that_disagree_are_told(tmp_path: Path) -> None:
    shutil.copytree(LOCK, tmp_path / "lock")
    path = tmp_path / "lock" / "lint.txt"
    path.write_text(re.sub(r"^numpy==\S+", "numpy==2.0.0", path.read_text(), flags=re.M))
    done = check(folder=tmp_path / "lock")
    assert done.returncode == 1 and "lint.txt has numpy 2.0.0, another file" in done.stdout
