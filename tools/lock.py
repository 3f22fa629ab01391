"""Writes the lock: for each group of packages that tasks install, exact versions with the hashes of their files.

python tools/lock.py            resolves anew, by `uv`, into .ci/lock
python tools/lock.py --check    whether what is locked satisfies pyproject.toml; ends with 1 and a sentence each if not
"""

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PYTHON = "3.11"  # the oldest that pyproject.toml admits, and the one of the tasks
PLATFORM = "x86_64-unknown-linux-gnu"  # whose packages are chosen; hashes are those of all files of a version, ARM's too
OPTIONS = ("--generate-hashes", "--no-header", "--no-annotate", "--quiet")
HASH = r" \\\n    --hash=sha256:[0-9a-f]{64}"
APART = "numpy-oldest"  # resolved by itself; all other groups agree on every version


def groups(project: Path) -> dict[str, list[str]]:
    """What each file of the lock is for, the largest first: those after it keep to its versions."""
    stated = tomllib.loads(project.read_text(encoding="utf-8"))
    needed, extra = stated["project"]["dependencies"], stated["project"]["optional-dependencies"]
    return {
        "test": needed + extra["test"] + ["pytest-cov"],
        "lint": needed + extra["lint"],
        "build": stated["build-system"]["requires"],
        "docs": needed + extra["docs"] + ["pytest", "pytest-timeout"],
        "classical": extra["classical"],
        "nox": ["nox"],
        APART: needed + extra["test"] + ["pytest-cov", "numpy==1.26.*"],
    }


def renew(project: Path, folder: Path) -> None:
    """Resolve all groups."""
    done: list[str] = []
    for name, wanted in groups(project).items():
        target = folder / f"{name}.txt"
        target.unlink(missing_ok=True)  # uv would keep to what it says
        agreed = [] if name == APART else done
        command = ["uv", "pip", "compile", "-", "-o", str(target), "--python-version", PYTHON, "--python-platform", PLATFORM]
        subprocess.run([*command, *OPTIONS, *agreed], input="\n".join(wanted), text=True, check=True, stdout=subprocess.DEVNULL)
        done += ["--constraints", str(target)]


def faults(project: Path, folder: Path) -> list[str]:
    """A sentence for each requirement that the lock does not satisfy, and for whatever is not an exact version with hashes."""
    found, versions = list[str](), dict[str, str]()
    for group, wanted in groups(project).items():
        text = (folder / f"{group}.txt").read_text(encoding="utf-8")
        if rest := re.sub(rf"^[\w.-]+==[\w.+!]+(?:{HASH})+\n", "", text, flags=re.M):
            found.append(f"{group}.txt has something else than versions and hashes: {rest.splitlines()[0]}")
        pins = dict(re.findall(r"^([\w.-]+)==([\w.+!]+)", text, re.M))
        for one in map(Requirement, wanted):
            pin = pins.get(re.sub(r"[-_.]+", "-", one.name).lower())
            if pin is None or not one.specifier.contains(pin, prereleases=True):
                found.append(f"{group}.txt has {one.name} {pin or 'not at all'}; pyproject.toml wants {one}: run `nox -s lock`")
        for name, pin in pins.items() if group != APART else ():
            if versions.setdefault(name, pin) != pin:
                found.append(f"{group}.txt has {name} {pin}, another file {versions[name]}: run `nox -s lock`")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--project", type=Path, default=ROOT / "pyproject.toml")
    parser.add_argument("--folder", type=Path, default=ROOT / ".ci" / "lock")
    given = parser.parse_args()
    if not given.check:
        renew(given.project, given.folder)
    found = faults(given.project, given.folder)
    print(*found, sep="\n", end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
