"""What the Tab key offers, tested in the shells themselves."""

import os
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from command_line import good

import lenet
from anna.analog.parameters import PRESETS
from lenet.datasets.registry import DATA_SETS
from sim.cli.completion_scripts import SCRIPTS
from sim.cli.main import COMMANDS, full_parser
from sim.cli.syntax import syntax_of

FILES = ("net.onnx", "weights.safetensors", "edges.anna", "two words.anna", "edges.asm", "bits.toml", "digits.npy", "notes.txt")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, found = tmp_path_factory.mktemp("scripts"), {}
    for shell in SCRIPTS:
        found[shell] = folder / f"anna.{shell}"
        found[shell].write_text(good("completion", shell), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "sub").mkdir()
    for name in FILES:
        (home / name).touch()
    return home


def shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: what Tab offers in it is not tested")
    return found


def bash(script: Path, folder: Path, *words: str) -> set[str]:
    """What bash offers for the last of these words. It finds no program to start, so Tab costs nothing."""
    code = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _anna; '
            "((${#COMPREPLY[@]})) && printf '%s\\n' \"${COMPREPLY[@]}\"; true")  # fmt: skip
    command = [shell("bash"), "-c", code, "bash", str(script), "anna", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env={"PATH": "/none"}, check=True)
    assert done.stderr == ""
    return set(done.stdout.splitlines())


def fish(script: Path, folder: Path, *words: str) -> set[str]:
    line = " ".join(word.replace(" ", "\\ ") for word in ("anna", *words))
    command = [shell("fish"), "--no-config", "-c", f'source "{script}"; complete -C "{line}"']
    env = {**os.environ, "HOME": str(script.parent)}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=env, check=True)
    assert done.stderr == ""
    return {re.sub(r"/$", "", entry.partition("\t")[0]) for entry in done.stdout.splitlines()}


ASK = {"bash": bash, "fish": fish}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_script_is_one_that_the_shell_can_read(name: str, scripts: dict[str, Path]) -> None:
    subprocess.run([shell(name), "-n", scripts[name]], check=True, capture_output=True)


@pytest.mark.parametrize("ask", ASK)
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("co",), {"compare", "compile", "completion"}),
        (("compare", "--data", ""), set(DATA_SETS)),
        (("compare", "--images", "h"), {"holdout"}),
        (("compile", "--calibration", ""), {*DATA_SETS, "sub", *FILES}),
        (("compile", "--range-method", ""), {"least-squares", "percentile", "max"}),
        (("compile", "--no"), {"--no-fit", "--no-overlap", "--no-balance"}),
        (("compare", "lenet4", "--ledger", "f"), {"full"}),
        (
            ("compare", "--c"),
            {
                "--chips",
                "--chip-seed",
                "--chip",
                "--chip-trained",
                "--count",
                "--calibration",
                "--calibration-count",
                "--check-count",
                "--copies",
            },
        ),
        (("compare", "lenet5"), {"lenet5", "lenet5_modern"}),
        (("compare", "lenet5", ""), set()),
        (("compile", "--chip", "weight_b"), {"weight_bits="}),
        (("compile", "--machine", ""), {"sequencer", "board-1991", "board-1996", "wide"}),
        (("compile", "--batch", "10", "n"), {"net.onnx"}),
        (("compile", "--print-after", "s"), {"split", "schedule", "selfcheck"}),
        (("run", "e"), {"edges.anna"}),
        (("run", "edges.anna", "--images", "d"), {"digits.npy"}),
        (("run", "edges.anna", "--images", "h"), {"holdout"}),
        (("run", "--analog", ""), {*PRESETS, "bits.toml", "sub"}),
        (("info", ""), {"edges.anna", "two words.anna", "sub"}),
        (("asm", ""), {"edges.asm", "sub"}),
        (("trace", "edges.anna", "n"), {"net.onnx", "notes.txt"}),
        (("sweep", ""), {"run", "plan", "merge", "front", "bits.toml", "sub"}),
        (("sweep", "run", ""), {"bits.toml", "sub"}),
        (("sweep", "merge", "a", "b", "s"), {"sub"}),
        (("sweep", "bits.toml", "-o", ""), {"sub"}),
        (("report", ""), {"sub"}),
        (("data", "fetch", ""), set(DATA_SETS)),
        (("completion", ""), set(SCRIPTS)),
        (("doctor", ""), set()),
        (("compare", "--chip-seed", ""), set()),
    ],
)
def test_what_is_offered(ask: str, words: tuple[str, ...], offered: set[str], scripts: dict[str, Path], folder: Path) -> None:
    assert ASK[ask](scripts[ask], folder, *words) == offered


def test_a_value_after_an_equals_sign(scripts: dict[str, Path], folder: Path) -> None:
    """Bash splits a word at the equals sign; fish does not."""
    assert bash(scripts["bash"], folder, "compare", "--data", "=", "m") == {"mnist"}
    assert bash(scripts["bash"], folder, "compare", "--data", "=") == set(DATA_SETS)
    assert bash(scripts["bash"], folder, "compare", "--data", "=", "mnist", "lenet4") == {"lenet4"}
    assert bash(scripts["bash"], folder, "compare", "--chip", "weight_bits", "=", "") == set()
    assert fish(scripts["fish"], folder, "compare", "--data=m") == {"--data=mnist"}


@pytest.mark.parametrize("ask", ASK)
def test_every_command_and_network_is_offered(ask: str, scripts: dict[str, Path], folder: Path) -> None:
    assert set(COMMANDS) <= ASK[ask](scripts[ask], folder, "")
    assert set(lenet.names) == ASK[ask](scripts[ask], folder, "train", "")


def typed(script: Path, folder: Path, keys: str) -> str:
    """The command line that zsh on a terminal passes to anna after these keys and Enter."""
    import pty  # not on every system; neither is zsh

    command, env = [shell("zsh"), "-f", "-i"], {**os.environ, "TERM": "dumb", "PS1": "", "HOME": str(script.parent)}
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=env,
                          start_new_session=True) as zsh:  # fmt: skip
        os.close(theirs)
        try:
            os.write(ours, f"autoload -Uz compinit; compinit -u -D; anna() {{ print -r -- \"<<${{(j:|:)@}}>>\" }}; "
                           f"source {script}; print ready\" \"now\n".encode())  # fmt: skip
            _read_until(ours, r"ready now")
            os.write(ours, f"{keys}\t\n".encode())
            return _read_until(ours, r"<<(.*?)>>")
        finally:
            zsh.kill()
            os.close(ours)


def _read_until(terminal: int, pattern: str) -> str:
    text, ends = "", time.monotonic() + 30
    while time.monotonic() < ends:
        if select.select([terminal], [], [], 0.2)[0]:
            text += os.read(terminal, 4096).decode(errors="replace")
        if found := re.search(pattern, text):
            return found[found.lastindex or 0]
    raise AssertionError(f"no {pattern} in {text!r}")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("anna compl", "completion"),
        ("anna compare --images h", "compare|--images|holdout"),
        ("anna compare --led", "compare|--ledger"),
        ("anna compare lenet5_", "compare|lenet5_modern"),
        ("anna compile n", "compile|net.onnx"),
        ("anna run -o x.npz e", "run|-o|x.npz|edges.anna"),
        ("anna info t", "info|two words.anna"),
        ("anna sweep run b", "sweep|run|bits.toml"),
        ("anna report s", "report|sub"),
        ("anna compile --chip weight_b", "compile|--chip|weight_bits="),
    ],
)
def test_zsh_completes_what_is_typed(keys: str, words: str, scripts: dict[str, Path], folder: Path) -> None:
    assert typed(scripts["zsh"], folder, keys).rstrip("/") == words


def test_every_value_is_known_or_known_to_be_free() -> None:
    """Completion of an option comes from its type; only numbers and shards of a sweep have none."""
    found = syntax_of(full_parser())
    assert found.valued
    valued = [option for command in found.commands for option in command.options if option.kind is not None]
    unknown = {name for option in valued if option.kind is not None and not option.kind.offers for name in option.names}
    assert unknown == {
        "--random", "--count", "--image", "--chips", "--weights-seed", "--chip-seed", "--noise-seed", "--train-seed",
        "--threads", "--thread-counts", "--batch", "--calibration-count", "--check-count", "--workers", "--shard", "--passes",
        "--validation", "--chip-passes", "--max-charge-lost", "--slot",
        "--digits", "--copies", "--synapses", "--input-clip", "--within", "--time-budget", "--limit", "--parts",
        "--fewer", "--each", "--margin",
    }  # fmt: skip
    assert all(kind.offers for command in found.commands for kind in command.positionals)
