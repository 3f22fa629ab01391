"""Writing files: a new one replaces the old one at once; a link, a device or a pipe stays what it is."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from anna.base.container import expect_writable, write_beside
from anna.base.errors import FileError


def test_an_old_file_gives_way_to_the_complete_new_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"old", b"new"):
        write_beside(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("old", [None, b"old"])
def test_a_link_stays_and_its_file_is_written(tmp_path: Path, old: bytes | None) -> None:
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "file", tmp_path / "link"
    link.symlink_to("far/file")
    if old:
        target.write_bytes(old)
    expect_writable(link)
    write_beside(link, b"new")
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "far", target, link]


def test_a_pipe_takes_the_bytes_and_stays(tmp_path: Path) -> None:
    path, got = tmp_path / "pipe", list[bytes]()
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: got.append(path.read_bytes()), daemon=True)
    reader.start()
    expect_writable(path)
    write_beside(path, b"bytes")
    reader.join(10)
    assert path.is_fifo() and got == [b"bytes"]
    assert list(tmp_path.iterdir()) == [path]


def loop(home: Path) -> str:
    (home / "loop").symlink_to("loop")
    return "loop"


def below_a_file(home: Path) -> str:
    (home / "file").touch()
    return "file/x"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (lambda _: ".", "it is a folder"),
        (lambda _: "..", "it is a folder"),
        (lambda _: "/", "it is a folder"),
        (lambda home: f"{home}/none/x", "there is no folder .*none"),
        (lambda _: "x" * 300, "File name too long"),
        (loop, "Too many levels of symbolic links"),
        (below_a_file, "Not a directory"),
    ],
)
def test_a_bad_place_is_refused_before_the_work_and_after(
    name: Callable[[Path], str], reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path(name(tmp_path))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FileError, match=f"cannot be written .{reason}"):
        expect_writable(path)
    with pytest.raises(FileError, match=f"cannot be written .{reason}"):
        write_beside(path, b"data")
    assert sorted(tmp_path.iterdir()) == before


def test_a_place_is_tried_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    expect_writable(path)
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"old")
    expect_writable(path)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_file_beside_has_a_name_that_nobody_can_foresee_and_follows_no_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = list[str]()
    opened = os.open

    def spied(path: Path, flags: int, mode: int) -> int:
        made.append(Path(path).name)
        assert flags & os.O_EXCL
        return opened(path, flags, mode)

    monkeypatch.setattr("anna.base.container.os.open", spied)
    for _ in range(2):
        write_beside(tmp_path / "file", b"data")
    assert len(set(made)) == 2 and all(len(name) == len(".file.0123456789abcdef.part") for name in made)
    monkeypatch.setattr("anna.base.container.secrets.token_hex", lambda _: "known")
    (tmp_path / ".file.known.part").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileError, match="File exists"):
        write_beside(tmp_path / "file", b"other")
    assert not (tmp_path / "elsewhere").exists() and (tmp_path / "file").read_bytes() == b"data"
