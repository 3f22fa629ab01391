"""Prints thermal_tables.h, which the build makes from `anna/native/thermal_tables.py`."""

import runpy
from collections.abc import Iterable
from pathlib import Path

TABLES = runpy.run_path(str(Path(__file__).parents[1] / "anna" / "native" / "thermal_tables.py"))
BODY, TAIL_OCTAVES = TABLES["BODY"], TABLES["TAIL_OCTAVES"]
LOOKUP = 32  # 16-bit words of the largest register, which takes five bits of a place; smaller ones take four and look 16 up
PLACE = 127 + 16 + 3  # of the first octave: its exponent as a float, of which the low bits count


def array(kind: str, name: str, numbers: Iterable[int]) -> str:
    """In C, sixteen numbers a line."""
    listed = list(map(str, numbers))
    lines = [f"    {', '.join(listed[i : i + 16])}," for i in range(0, len(listed), 16)]
    return "\n".join([f"static const {kind} {name} __attribute__((unused, aligned(64))) = {{", *lines, "};"])


def spread(power: int) -> list[int]:
    """The coefficients of a power, each where the octave's exponent looks it up, by four bits of it or by five."""
    words = [0] * LOOKUP
    for octave, row in enumerate(BODY):
        for place in range((PLACE + octave) % 16, LOOKUP, 16):
            words[place] = row[power] & 0xFFFF
    return words


if __name__ == "__main__":
    words = [spread(power) for power in range(5)]
    print("/* Tables of the thermal noise, made by tools/thermal_header.py from anna/native/thermal_tables.py. */")
    print("#include <stdint.h>\n")
    print(f"enum {{ AES_ROUNDS = {TABLES['ROUNDS']}, FIRST_OF_BODY = {TABLES['FIRST']} }};")
    print(array("uint8_t", "aes_sbox[256]", TABLES["sbox"]()))
    print(array("uint32_t", "aes_mixed[256]", TABLES["mixed"]()))
    print(array("uint16_t", f"body_words[{5 * LOOKUP}]", (word for row in words for word in row)))
    print(array("uint8_t", "body_low[80]", (word & 0xFF for row in words for word in row[:16])))
    print(array("uint8_t", "body_high[80]", (word >> 8 for row in words for word in row[:16])))
    print(array("int32_t", "tail_octaves[180]", (c for row in TAIL_OCTAVES for c in row)))
