"""How commands end: exit codes and error codes are the documented ones, in text and in JSON."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import ELSEWHERE, ENV, ROOT, call, good, refused

import anna
from anna.base import errors
from anna.base.errors import AnnaError, FileError
from sim.cli.endings import EXIT_MEANINGS, OTHER_CODES, Exit, failure
from sim.cli.main import main

KINDS = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, AnnaError) and kind.__name__[0] != "_"
]
PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")


def test_each_kind_of_error_has_its_own_code() -> None:
    codes = [vars(kind)["code"] for kind in KINDS] + list(OTHER_CODES)
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", code) for code in codes)


def test_the_codes_in_the_docs_are_the_codes() -> None:
    rows = [f"| `{kind.code}` | `{kind.__name__}` | {kind.__doc__} |" for kind in KINDS]
    rows += [f"| `{code}` | | {meaning} |" for code, meaning in OTHER_CODES.items()]
    assert re.findall(r"^\| `[a-z-]+` \|.*$", PAGE, re.M) == rows


def test_the_exit_codes_in_the_docs_are_the_exit_codes() -> None:
    rows = [f"| {int(code)} | {EXIT_MEANINGS[code]} |" for code in Exit]
    assert re.findall(r"^\| \d+ \|.*$", PAGE, re.M) == rows


@pytest.mark.parametrize(
    ("error", "code", "exit_code", "message"),
    [
        (FileError("x.anna: is damaged"), "bad-file", 2, "x.anna: is damaged"),
        (KeyboardInterrupt("run again to go on"), "interrupted", 130, "interrupted; run again to go on"),
        (FileNotFoundError(2, "No such file", "x.asm"), "file-system", 2, "x.asm: No such file"),
        (MemoryError(), "out-of-memory", 2, "there is not enough memory for this"),
        (ZeroDivisionError("division by zero"), "bug", 1, "a bug in anna: ZeroDivisionError: division by zero"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_error_ends_in_a_code_and_a_sentence(error: BaseException, code: str, exit_code: int, message: str) -> None:
    found = failure(error)
    assert (found.code, found.exit) == (code, exit_code)
    assert found.message.startswith(message) and found.text(as_json=False) == f"anna: {found.message}"
    assert json.loads(found.text(as_json=True)) == {"error": {"code": code, "message": found.message, "exit_code": exit_code}}


@pytest.mark.parametrize(
    ("command", "code"), [(("info", "none.anna"), "bad-file"), (("nfo",), "bad-usage")], ids=["file", "usage"]
)
def test_with_json_an_error_is_json(command: tuple[str, ...], code: str) -> None:
    plain = refused(*command)
    told = json.loads(refused(*command, "--json"))["error"]
    assert told == {"code": code, "message": plain.removeprefix("anna: ").rstrip("\n"), "exit_code": 2}


def test_a_bug_exits_with_1_and_with_debug_shows_itself(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.modules["sim.cli.main"], "_parsed", lambda given: 1 // 0)  # the package has a function main
    assert main(["doctor"]) == Exit.BUG
    assert "a bug in anna: ZeroDivisionError" in capsys.readouterr().err
    with pytest.raises(ZeroDivisionError):
        main(["doctor", "--debug"])


def test_python_m_anna_is_the_command() -> None:
    assert anna_module("--version") == good("--version") == f"anna {anna.__version__}\n"


def test_python_m_anna_passes_the_exit_code_on(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "anna", "info", str(tmp_path / "none.anna")]
    done = subprocess.run(command, capture_output=True, text=True, env=ENV, cwd=ELSEWHERE, check=False)
    assert (done.returncode, done.stderr) == (2, call("info", tmp_path / "none.anna").stderr)


def anna_module(*arguments: str) -> str:
    command = [sys.executable, "-m", "anna", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=ENV, cwd=ELSEWHERE, check=True).stdout
