"""The `.anna` file: same program, same bytes; a damaged, foreign, too new or hostile file raises one clear sentence."""

import hashlib
import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

import anna
from anna.base import container
from anna.base.errors import AnnaError, FileError
from anna.program.file import KEY

PROGRAM = Path(__file__).parents[2] / "programs" / "paging.asm"


@pytest.fixture
def program() -> anna.Program:
    return anna.assemble(PROGRAM.read_text())


def test_the_round_trip(program: anna.Program, tmp_path: Path) -> None:
    program.save(tmp_path / "p.anna")
    again = anna.Program.load(tmp_path / "p.anna")
    assert again.to_bytes() == program.to_bytes()
    assert anna.disassemble(again) == anna.disassemble(program)


def test_same_program_same_bytes_in_another_process(program: anna.Program) -> None:
    read = f"anna.assemble(pathlib.Path({str(PROGRAM)!r}).read_text())"
    code = f"import anna, hashlib, pathlib; print(hashlib.sha256({read}.to_bytes()).hexdigest())"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "7"}
    found = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == hashlib.sha256(program.to_bytes()).hexdigest()


def parts(program: anna.Program) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    data = program.to_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    content = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
    names = ("words", "weight_codes", "scale_codes", "constant_addresses", "constant_codes")
    return content, {name: np.array(getattr(program, name)) for name in names}


def resealed(change: Callable[[dict[str, Any], dict[str, np.ndarray]], None]) -> Callable[[anna.Program], bytes]:
    """A file whose content was changed and whose checksum is valid again: what an attacker would make."""

    def make(program: anna.Program) -> bytes:
        content, tensors = parts(program)
        change(content, tensors)
        content["sha256"] = container.checksum(content, tensors)
        return save(tensors, {KEY: json.dumps(content)})

    return make


def put(key: str, value: Any) -> Callable[[dict[str, Any], dict[str, np.ndarray]], None]:
    def change(content: dict[str, Any], _: dict[str, np.ndarray]) -> None:
        *path, last = key.split(".")
        place: Any = content
        for step in path:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value

    return change


def tensor(name: str, value: np.ndarray | None) -> Callable[[dict[str, Any], dict[str, np.ndarray]], None]:
    def change(_: dict[str, Any], tensors: dict[str, np.ndarray]) -> None:
        if value is None:
            del tensors[name]
        else:
            tensors[name] = value

    return change


def header_of(size: int) -> bytes:
    return struct.pack("<Q", size) + b"{}"


CASES: dict[str, tuple[Callable[[anna.Program], bytes], str]] = {
    "empty": (lambda p: b"", "has 0 bytes; expected a program file of 1 to 1073741824 bytes"),
    "text": (lambda p: b"hello, world", "is not a valid program file"),
    "huge header": (lambda p: header_of(1 << 62), "is not a valid program file"),
    "truncated header": (lambda p: p.to_bytes()[:100], "is not a valid program file"),
    "truncated": (lambda p: p.to_bytes()[:-1], "is not a valid program file"),
    "foreign": (lambda p: save({"x": np.zeros(3)}), "has no anna_program description; expected a program file"),
    "foreign key": (lambda p: save({"x": np.zeros(3)}, {"a": "b"}), "has no anna_program description"),
    "no json": (lambda p: save({"x": np.zeros(3)}, {KEY: "{"}), "the description inside this program file is not JSON"),
    "deep json": (lambda p: save({"x": np.zeros(3)}, {KEY: "[" * 100_000}), "is not JSON"),
    "json list": (lambda p: save({"x": np.zeros(3)}, {KEY: "[]"}), "is not an object"),
    "tampered": (lambda p: p.to_bytes()[:-1] + bytes([p.to_bytes()[-1] ^ 1]), "the checksum does not match"),
    "too new": (resealed(put("format", 4)), "has format 4; this version of anna reads up to format 3: update anna"),
    "format text": (resealed(put("format", "1")), "has format '1'; expected the number of a format of program files"),
    "unknown key": (resealed(put("run_this", "rm")), "run_this is not known"),
    "bad spec": (resealed(put("spec.rows", -64)), "spec.rows: expected at least 1, got -64"),
    "negative address": (resealed(put("regions.0.address", -1)), "regions.0.address: expected at least 0"),
    "huge region": (resealed(put("regions.0.shape", [1 << 40])), "region image cannot have shape 1099511627776"),
    "floats as keys": (resealed(tensor("calibrated_on", np.zeros(3))), "tensor calibrated_on is float64; expected uint64"),
    "far stride": (resealed(put("regions.0.strides", [1 << 40])), "address 69269232549888 lies outside the memory"),
    "batch": (resealed(put("batch", 0)), "batch: expected at least 1, got 0"),
    "name": (resealed(put("name", "../../x")), "a name has 1 to 100 letters"),
    "missing tensor": (resealed(tensor("scale_codes", None)), "tensors scale_codes are missing or unknown"),
    "extra tensor": (resealed(tensor("more", np.zeros(1))), "tensors more are missing or unknown"),
    "wrong dtype": (resealed(tensor("weight_codes", np.zeros((2, 64, 64), np.float32))), "tensor weight_codes is float32"),
    "wrong shape": (resealed(tensor("weight_codes", np.zeros((2, 64, 63), np.uint16))), "weight codes have shape (2, 64, 63)"),
    "no page": (resealed(tensor("weight_codes", np.zeros((0, 64, 64), np.uint16))), "has 0 weight pages; expected 1 to 256"),
    "codes beyond bits": (resealed(tensor("weight_codes", np.full((2, 64, 64), 64, np.uint16))), "weight codes reach 64"),
    "limbs": (resealed(tensor("words", np.zeros((3, 5), np.uint64))), "microcode words of this chip have 2 limbs"),
    "opcode": (resealed(tensor("words", np.zeros((3, 2), np.uint64))), "word 0: there is no opcode 0"),
    "twice": (resealed(lambda c, t: t.update(constant_addresses=np.zeros(2, np.uint32), constant_codes=np.zeros(2, np.uint16))),
              "two constants share an address"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_bad_file_gives_one_clear_sentence(case: str, program: anna.Program, tmp_path: Path) -> None:
    make, sentence = CASES[case]
    path = tmp_path / "bad.anna"
    path.write_bytes(make(program))
    with pytest.raises(AnnaError) as refusal:
        anna.verified(anna.Program.load(path))
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot be read \(No such file or directory\)"):
        anna.Program.load(tmp_path / "none.anna")
    with pytest.raises(FileError, match="is not a file"):
        anna.Program.load(tmp_path)


def test_nothing_half_written_is_left(program: anna.Program, tmp_path: Path) -> None:
    target = tmp_path / "folder.anna"
    target.mkdir()
    with pytest.raises(FileError, match="cannot be written"):
        program.save(target)
    assert list(tmp_path.iterdir()) == [target]


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_damage_gets_through(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A byte changed or a piece cut out anywhere: refused, or (in JSON's blanks) the same program."""
    good = anna.assemble(PROGRAM.read_text())
    original = bytearray(good.to_bytes())
    at = data.draw(st.integers(0, len(original) - 1))
    if data.draw(st.booleans()):
        original[at] ^= data.draw(st.integers(1, 255))
    else:
        del original[at : at + data.draw(st.integers(1, 50))]
    path = tmp_path_factory.mktemp("damage") / "x.anna"
    path.write_bytes(bytes(original))
    try:
        assert anna.Program.load(path).to_bytes() == good.to_bytes()
    except FileError as error:
        refusal = str(error)
        assert "\n" not in refusal
