"""Small files that ask for much: what was found by fuzzing or thought of, as recipes that write them.

python tests/hostile_files.py FOLDER    reads every file of a folder that `write_all` filled, within limits, and says what came
"""

import gzip
import io
import json
import resource
import sqlite3
import struct
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

MEMORY_BYTES = 1 << 30  # beyond what the process has when it begins to read
ROOT = Path(__file__).parents[1]

Recipe = Callable[[Path], object]  # writes the file


# --- containers -------------------------------------------------------------------------------------------------------
def program(change: Callable[[dict[str, Any]], object]) -> Recipe:
    """A program with changed content, and a checksum that fits it."""
    return _container("anna_program", (ROOT / "tests" / "data" / "former" / "by_hand.anna").read_bytes(), change)


def compiled(change: Callable[[dict[str, Any]], object], more: Callable[[dict[str, Any]], object] = len) -> Recipe:
    """The same of a program with a host; `more` changes its tensors."""
    return _container("anna_program", (ROOT / "tests" / "data" / "former" / "pair.anna").read_bytes(), change, more)


def network(change: Callable[[dict[str, Any]], object]) -> Recipe:
    """A network with changed content."""
    return _container("anna_graph", (ROOT / "tests" / "data" / "former" / "pair.safetensors").read_bytes(), change)


def _container(
    key: str, good: bytes, change: Callable[[dict[str, Any]], object], more: Callable[[dict[str, Any]], object] = len
) -> Recipe:
    from safetensors.numpy import load, save

    from anna.base.container import CHECKSUM, canonical_json, checksum

    def write(path: Path) -> None:
        size = int.from_bytes(good[:8], "little")
        content = json.loads(json.loads(good[8 : 8 + size])["__metadata__"][key])
        change(content)
        tensors = load(good)
        more(tensors)
        if CHECKSUM in content:
            content[CHECKSUM] = checksum(content, tensors)
        path.write_bytes(save(tensors, {key: canonical_json(content)}))

    return write


def put(where: str, value: object) -> Callable[[dict[str, Any]], None]:
    """A change of one value of the JSON."""

    def change(content: dict[str, Any]) -> None:
        *way, last = (int(part) if part.isdigit() else part for part in where.split("."))
        part: Any = content
        for step in way:
            part = part[step]
        part[last] = value

    return change


def many_tensors(path: Path) -> None:
    """Twenty thousand empty tensors."""
    entry = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    header = json.dumps({"__metadata__": {"anna_graph": "{}"}, **{str(k): entry for k in range(20_000)}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def long_description(path: Path) -> None:
    """Eighteen megabytes of JSON in front of nothing."""
    header = json.dumps({"__metadata__": {"anna_graph": "[" + "[]," * (6 << 20) + "[]]"}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(8))


# --- texts ------------------------------------------------------------------------------------------------------------
def text(what: str) -> Recipe:
    """A file of text."""
    return lambda path: path.write_text(what)


# --- images -----------------------------------------------------------------------------------------------------------
def npy(header: str, body: bytes = b"") -> Recipe:
    """An .npy file with such a header."""
    return lambda path: path.write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + body)


def npz(way: int, header: str, body: bytes = b"") -> Recipe:
    """An .npz file with such a member."""

    def write(path: Path) -> None:
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w", way) as file:
            file.writestr("images.npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + body)
        path.write_bytes(inner.getvalue())

    return write


def many_members(path: Path) -> None:
    """A zip file that lists a hundred thousand names."""
    with zipfile.ZipFile(path, "w") as file:
        for number in range(100_000):
            file.writestr(f"{number}.npy", b"")


def bomb(start: bytes, megabytes: int) -> Recipe:
    """A gzip file of zeros after a start: a thousandth of what it unpacks to."""
    part = gzip.compress(bytes(64 << 20), 1, mtime=0)
    return lambda path: path.write_bytes(gzip.compress(start, mtime=0) + part * (megabytes // 64))


HUGE = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }\n"
ZEROS = "{'descr': '|u1', 'fortran_order': False, 'shape': (1536, 1048576), }\n"


# --- ONNX -------------------------------------------------------------------------------------------------------------
def onnx(*tensors: bytes) -> Recipe:
    """A model that holds these constants."""
    return lambda path: path.write_bytes(field(7, b"".join(field(5, one) for one in tensors)))


def field(number: int, value: bytes | int) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def beside(location: str, numbers: int) -> bytes:
    """A constant whose data lies in a file beside the model."""
    entry = field(13, field(1, b"location") + field(2, location.encode()))
    return field(1, numbers) + field(2, 1) + field(8, b"w") + field(14, 1) + entry


# --- sweeps -----------------------------------------------------------------------------------------------------------
def sweep(*statements: str) -> Recipe:
    """A sweep's database in which something was done."""

    def write(path: Path) -> None:
        path.write_bytes((ROOT / "tests" / "data" / "former" / "sweep3" / "sweep.sqlite").read_bytes())
        db = sqlite3.connect(path)
        for statement in statements:
            db.execute(statement)
        db.commit()
        db.close()

    return write


def cut_sweep(path: Path) -> None:
    """One whose second half is noise."""
    data = (ROOT / "tests" / "data" / "former" / "sweep3" / "sweep.sqlite").read_bytes()
    half = len(data) // 2
    path.write_bytes(data[:half] + np.random.default_rng(0).bytes(len(data) - half))


ENDLESS = ("DROP TABLE refusals", "CREATE VIEW refusals AS WITH RECURSIVE n(p) AS (SELECT 1 UNION ALL SELECT p + 1 FROM n) "
           "SELECT p AS point, 'x' AS sentence FROM n")  # fmt: skip
WIDE = ".chip name=anna-wide rows=4096 columns=4096 max_pages=65536 memory_states=4096\n"

# By file: the recipe, and words of the sentence that refuses it.
FILES: dict[str, tuple[Recipe, str]] = {
    "region.anna": (program(put("regions.0.shape", [1 << 28])), "cannot have shape 268435456"),
    "regions.anna": (program(lambda c: c["regions"].extend(
        {"name": f"m{k}", "kind": "map", "address": 0, "shape": [1 << 24], "strides": [0]} for k in range(9))),
        "its regions have more than 33,554,432 states in all"),
    "strides.anna": (program(put("regions.0.strides", [])), "needs one stride"),
    "stride.anna": (program(lambda c: (put("regions.0.shape", [1, 4, 4])(c), put("regions.0.strides", [1 << 63, 4, 1])(c))),
                    "cannot have a stride of more than 281,474,976,710,656"),
    "resize.anna": (compiled(put("host.prepare.resize", [1 << 24, 1])), "expected sides of at most 2,048"),
    "report.anna": (compiled(put("report.board_binds", 7)), "report.board_binds: expected"),
    "placement.anna": (compiled(put("report.placement.0.page", 9)), "lies on page 9, beyond 3 pages of 32 rows"),
    "links.anna": (compiled(lambda _: None, lambda t: t.update({"links.neurons": t["links.neurons"] + 500})),
                   "tensor links.neurons names a layer, page or row that there is not"),
    "gain.anna": (compiled(lambda _: None, lambda t: t.update({"host.input.gain": t["host.input.gain"] * 0})),
                  "a gain of the host's input is 0"),
    "loops.asm": (text(".input name=i address=0 shape=4\nPAGE page=0\nSHIFT 4 address=0\nREPEAT 2047\nREPEAT 2047\nSTORE R0\n"
                       "ENDREP\nENDREP\nOUT 4 address=0\nSTOP\n"), "no CALC before it"),
    "hazards.asm": (text(".input name=i address=0 shape=4\nPAGE page=0\nREPEAT 2047\nREPEAT 2047\nSHIFT 4 address=100\n"
                         "ENDREP\nENDREP\nSTOP\n"), "reads address 100, which was never written"),
    "rate.asm": (text(".sequencer name=dsp instructions_per_s=5e-324\nSTOP\n"), "instructions_per_s: expected at least 1"),
    "image.anna": (compiled(put("host.prepare.field", [90, 90])), "the host makes states of shape (1, 90, 90)"),
    "padding.safetensors": (network(put("members.0.layers.1.padding", [10**6, 10**6, 0, 0])), "at most 16,777,216 units"),
    "source.safetensors": (network(put("members.0.layers.0.source", [10**6, 10**6])), "at most 16,777,216 units"),
    "many.safetensors": (many_tensors, "holds 20,000 tensors; expected at most 10,000"),
    "long.safetensors": (long_description, "describes itself in 18,874,"),
    "window.asm": (text(
        ".chip memory_states=1000000000000\n.input name=i address=0 shape=1\n.output name=o address=999999 shape=2 "
        "strides=1000000000\nSTOP\n"), "lies outside the memory of 16777216 states"),
    "pages.asm": (text(WIDE + ".weights page=65535 values=0\nPAGE page=0\nEND\n"), "its pages would take"),
    "constant.asm": (text(".input name=i address=0 shape=1\n.constant address=4294967296 codes=1\nSTOP\n"),
                     "address 4294967296 of a constant; expected less than 4294967296"),
    "lines.asm": (text("\n" * (3 << 20)), "has more than 2,097,152 lines"),
    "codes.asm": (text(".constant codes=" + "0," * (3 << 20) + "0\n"), "sets more than 2,097,152 weights, scales"),
    "deep.toml": (text("a = " + "[" * 100_000), "is nested too deeply"),
    "deep.json": (text("[" * 1_000_000), "is not JSON"),
    "bomb.gz": (bomb(b"\0\0\x08\3" + struct.pack(">3I", 640, 1024, 1024), 640), "unpacks to more than 536,870,912 bytes"),
    "bomb": (bomb(b"\0\0\x08\3" + struct.pack(">3I", 320, 1024, 1024), 320), "unpacks to more than 268,435,456 bytes"),
    "sizes": (lambda path: path.write_bytes(b"\0\0\x08\4" + b"\xff" * 16), "holds 0 bytes after the header"),
    "huge.npy": (npy(HUGE), "holds 0 bytes after its header; expected 4,000,000,000,000"),
    "token.npy": (npy("{'descr': (((((\n"), "is not "),
    "objects.npy": (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n", b"x" * 8), "holds object; expected"),
    "huge.npz": (npz(zipfile.ZIP_DEFLATED, HUGE), "holds 0 bytes after its header; expected 4,000,000,000,000"),
    "bomb.npz": (npz(zipfile.ZIP_DEFLATED, ZEROS, bytes(1536 << 20)), "its arrays would take 1,610,612,8"),
    "lzma.npz": (npz(zipfile.ZIP_LZMA, HUGE), "is packed in another way than NumPy does"),
    "members.npz": (many_members, "lists too many arrays"),
    "nul.onnx": (onnx(beside("a\0b", 4)), "outside the model's folder"),
    "dims.onnx": (onnx(field(1, 1 << 40) + field(2, 1)), "expected at most 268435456 numbers"),
    "twice.onnx": (onnx(*[beside("huge.bin", 1 << 26)] * 5), "names more than 536,870,912 bytes of data beside the model"),
    "fields.onnx": (lambda path: path.write_bytes(field(7, b"") + field(99, 1) * (2 << 20)), "more than 1,048,576 fields"),
    "empty.train": (text(""), "is empty; expected a label and 256 numbers in each line"),
    "lines.train": (text("\n" * (4 << 20)), "its lines would take 8,623,"),
    "noise.sqlite": (cut_sweep, "is damaged ("),
    "view.sqlite": (sweep(*ENDLESS), "holds 'refusals', a view that no sweep has"),
    "text.sqlite": (sweep("UPDATE results SET wrong = 'x'"), "are no numbers of images"),
    "facts.sqlite": (sweep("UPDATE runs SET facts = '[]'"), "is damaged (run "),
    "identity.sqlite": (sweep("UPDATE sweep SET content = '[1]'"), "is not a sweep's database, or a damaged one"),
}  # fmt: skip
BESIDE = "huge.bin"  # 256 MiB of nothing, which only onnx files name


def write_all(folder: Path) -> None:
    """Every file of the table, and what lies beside them."""
    for name, (recipe, _) in FILES.items():
        recipe(folder / name)
    with (folder / BESIDE).open("wb") as file:
        file.truncate(1 << 28)


# --- reading them within limits ---------------------------------------------------------------------------------------
def readers() -> dict[str, Callable[[Path], object]]:
    """How each kind of file is read, by its suffix; a program is walked as well, if it loads."""
    import anna
    from anna.importers import load_network
    from anna.importers.onnx import load_onnx
    from lenet.datasets.idx import read_idx
    from lenet.datasets.usps import read_zip_text
    from sim.inputs.files import read_images
    from sim.sweep import store, summary

    def sweep_of(path: Path) -> object:
        store.NAME = path.name
        with store.Store(path.parent) as found:
            return summary.read(found), found.misreads()

    return {
        ".anna": lambda path: anna.verified(anna.Program.load(path)), ".onnx": load_onnx, ".toml": anna.Analog.load,
        ".asm": lambda path: anna.verified(anna.assemble(path.read_text(), path.name)), ".json": anna.Trim.load,
        ".safetensors": load_network,
        ".npy": read_images, ".npz": read_images, ".gz": read_images, "": read_idx, ".train": read_zip_text,
        ".sqlite": sweep_of,
    }  # fmt: skip


def main(folder: Path, names: list[str]) -> None:
    """A line of JSON for each file: its name, what was said, the seconds of processor time it took."""
    from anna.base.errors import AnnaError

    known = readers()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for name in names:
        begun = time.process_time()  # a busy machine makes no reader slow
        try:
            said = f"accepted: {known[Path(name).suffix](folder / name)!r:.60}"
        except AnnaError as error:
            said = str(error) + (" OUT OF MEMORY" if isinstance(error.__cause__, MemoryError) else "")
        except Exception as error:
            said = f"FOREIGN {type(error).__name__}: {error}"
        print(json.dumps([name, said, time.process_time() - begun]), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or list(FILES))
