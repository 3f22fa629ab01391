"""A disk that is full or broken, at each call that writes: told in one sentence, and the former file stays as it was."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from command_line import ELSEWHERE, ENV
from sweep_cases import here, tiny

import anna

TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc")
    if compiler is None or not Path("/proc/self/fd").exists():
        pytest.skip("there is no C compiler or no /proc here: a faulty disk was NOT tested")
    path = tmp_path_factory.mktemp("shim") / "faulty_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", path, TESTS / "faulty_disk.c", "-ldl"], check=True)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program, a die and a finished sweep."""
    home = tmp_path_factory.mktemp("disk")
    shutil.copy(TESTS / "programs" / "calc.asm", home / "program.asm")
    program = anna.assemble((home / "program.asm").read_text(encoding="utf-8"))
    np.save(home / "codes.npy", np.zeros((1, *program.input.shape), np.uint8))
    spec = anna.ANNA_1991.changed(rows=8, columns=16, fan_ins=(16,), neurons_at_once=4)
    anna.Die.draw(spec, anna.Analog.preset("typical"), 1).save(home / "x.die")
    here(tiny(), home / "sweep")
    return home


def test_every_writer_tells_it_in_one_sentence_and_leaves_the_former_file(shim: Path, folder: Path) -> None:
    done = subprocess.run([sys.executable, TESTS / "writers.py", folder], env={**ENV, "LD_PRELOAD": str(shim)}, cwd=ELSEWHERE,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) >= 40
    for one in found:
        place = folder / one["file"]
        assert one["said"] == f"anna: {place}: cannot be written ({os.strerror(one['errno'])})", one
        assert one["kept"], one


@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_sweep_on_a_broken_disk_says_so_and_goes_on_when_it_is_mended(shim: Path, tmp_path: Path, call: str) -> None:
    code = (
        "import os, sys; from pathlib import Path; from sweep_cases import here, tiny; import anna\n"
        "from sim.sweep.store import Store\n"
        "home = Path(sys.argv[1]); add = Store.add; done = []\n"
        "def failing(self, *given):\n"
        "    if done: os.environ.update(FAULT_CALL=sys.argv[2], FAULT_ERRNO='5', FAULT_FILE='sweep.sqlite')\n"
        "    done.append(1)\n"
        "    add(self, *given)\n"
        "Store.add = failing\n"
        "try: here(tiny(), home)\n"
        "except anna.AnnaError as error: print(error)\n"
    )
    path = os.pathsep.join([str(TESTS), ENV["PYTHONPATH"]])
    command = [sys.executable, "-c", code, tmp_path / "broken", call]
    done = subprocess.run(command, env={**ENV, "PYTHONPATH": path, "LD_PRELOAD": str(shim)}, cwd=ELSEWHERE,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.stdout.startswith(f"{tmp_path / 'broken' / 'sweep.sqlite'}: cannot be written ("), done.stdout + done.stderr
    assert done.stdout.endswith("finished points are kept, run again to continue\n")
    assert here(tiny(), tmp_path / "broken").points_done == 2
    here(tiny(), tmp_path / "whole")
    assert (tmp_path / "broken" / "results.csv").read_bytes() == (tmp_path / "whole" / "results.csv").read_bytes()
