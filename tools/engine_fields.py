"""Prints a file that the build makes from `anna/native/fields.py`: header, declarations, filling or number."""

import runpy
import sys
from pathlib import Path
from typing import Any

TABLE = runpy.run_path(str(Path(__file__).parents[1] / "anna" / "native" / "fields.py"))
MADE = "made by tools/engine_fields.py from anna/native/fields.py"
# The name of a struct, its sizes and its arrays.
STRUCTS = {
    "anna_workload": (TABLE["SIZES"], TABLE["WORKLOAD"]),
    "anna_packed": (TABLE["PACKED_SIZES"], TABLE["PACKED"]),
}


def c_type(kind: str) -> str:
    if kind in TABLE["RECORDS"]:
        return f"anna_{kind}"
    return "float" if kind == "float32" else f"{kind}_t"


def header() -> str:
    """The structs in C."""
    lines = [f"/* The fields of a workload and of its packed form, {MADE}. */"]
    lines += ["#ifndef ANNA_FIELDS_H", "#define ANNA_FIELDS_H", "", "#include <stdint.h>"]
    for name, parts in TABLE["RECORDS"].items():
        lines += ["", "typedef struct {"]
        lines += [f"    {c_type(part.kind)} {part.name}; /* {part.meaning} */" for part in parts]
        lines += [f"}} anna_{name};"]
    for name, (sizes, fields) in STRUCTS.items():
        lines += ["", "typedef struct {"]
        lines += [f"    int64_t {size}; /* {meaning} */" for size, meaning in sizes.items()]
        for field in fields:
            shape = "".join(f"[{axis}]" for axis in field.axes) + (", or NULL" if field.optional else "")
            held = f"{c_type(field.kind)} {field.name}{shape}" if field.inside else f"const {c_type(field.kind)} *{field.name}"
            lines += [f"    {held}; /* {shape}: {field.meaning} */"]
        lines += [f"}} {name};"]
    return "\n".join([*lines, "", "#endif"])


def declarations() -> str:
    """The same for Cython."""
    lines = [f"# The structs of fields.h, {MADE}."]
    lines += ["from libc.stdint cimport int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t", ""]
    lines += ['cdef extern from "fields.h" nogil:']
    for name, parts in TABLE["RECORDS"].items():
        lines += [f"    ctypedef struct anna_{name}:", *(f"        {c_type(part.kind)} {part.name}" for part in parts), ""]
    for name, (sizes, fields) in STRUCTS.items():
        lines += [f"    ctypedef struct {name}:", f"        int64_t {', '.join(sizes)}"]
        for field in fields:
            star, count = ("", f"[{field.shape}]") if field.inside else ("*", "")
            lines += [f"        {'const ' * bool(star)}{c_type(field.kind)} {star}{field.name}{count}"]
        lines += [""]
    return "\n".join(lines)


def filling() -> str:
    """Functions that fill the structs."""
    lines = [f"# How Python's numbers and arrays come into the structs of fields.h, {MADE}."]
    lines += ["from libc.string cimport memcpy"]
    for name, (sizes, fields) in STRUCTS.items():
        lines += ["", "", f"cdef int fill_{name}({name} *to, dict sizes, dict arrays, list keep) except -1:"]
        lines += [f'    to.{size} = sizes["{size}"]' for size in sizes]
        for field in fields:
            where = f'address(arrays["{field.name}"], keep)'
            if field.inside:
                lines += [f"    memcpy(to.{field.name}, {where}, sizeof(to.{field.name}))"]
            else:
                lines += [f"    to.{field.name} = <const {c_type(field.kind)} *>{where}"]
        lines += ["    return 0"]
    return "\n".join(lines)


def number() -> str:
    """The interface number, for every compiled module."""
    return f'INTERFACE = "{TABLE["interface"]()}"'


if __name__ == "__main__":
    files: dict[str, Any] = {"header": header, "declarations": declarations, "filling": filling, "number": number}
    print(files[sys.argv[1]]())
