"""What the ports of a processor allow the kernel's inner loops, by llvm-mca, beside the multiply-adds on registers alone.

    python benchmarks/ports.py [--cpu znver3 --cpu skylake] [--function narrow_quiet]

Cuts every innermost loop with multiply-adds on vectors of 256 bits out of the installed module and lets llvm-mca repeat it:
cycles a multiply-add of one vector, and the share of the peak that this leaves. It knows no caches and nothing between loops.
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

ROUNDS = 200
MULTIPLY, WIDTH = "vpmaddwd", "%ymm"


def functions(path: str) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Name and instructions (address, text) of each function of an object file."""
    told = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True).stdout
    for part in told.split("\n\n"):
        if begin := re.match(r"[0-9a-f]+ <(.+)>:\n", part):
            found = re.findall(r"^\s+([0-9a-f]+):\t(.*)$", part, re.MULTILINE)
            yield begin[1], [(int(address, 16), text.split("#")[0].strip()) for address, text in found]


def loops(code: list[tuple[int, str]]) -> Iterator[list[str]]:
    """The innermost loops that multiply: from the target of a jump backwards to the jump, with no other jump between."""
    place = {address: i for i, (address, _) in enumerate(code)}
    for last, (address, text) in enumerate(code):
        jump = re.match(r"j\w+\s+([0-9a-f]+)", text)
        if jump and int(jump[1], 16) <= address and (first := place.get(int(jump[1], 16))) is not None:
            body = [text for _, text in code[first:last]]
            if not any(re.match(r"j|call|ret", one) for one in body) and sum(map(multiplies, body)):
                yield body


def multiplies(text: str) -> bool:
    return text.startswith(MULTIPLY) and WIDTH in text


def cycles(body: list[str], cpu: str) -> float | None:
    """Cycles of one round, or None if llvm-mca does not know the processor."""
    command = ["llvm-mca", f"-mcpu={cpu}", f"-iterations={ROUNDS}"]
    done = subprocess.run(command, input="\n".join(body), capture_output=True, text=True, check=False)
    total = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
    return None if "not a recognized processor" in done.stderr or total is None else int(total[1]) / ROUNDS


def main() -> int:
    from anna.native.loader import native

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cpu", action="append", help="as llvm-mca calls it (default: znver3, znver4, znver5, skylake, icelake-server)"
    )
    parser.add_argument("--function", default="narrow_quiet", help="whose loops (default: %(default)s, of an ideal chip)")
    given = parser.parse_args()
    if missing := [tool for tool in ("objdump", "llvm-mca") if shutil.which(tool) is None]:
        print(f"{' and '.join(missing)} not installed: nothing was counted", file=sys.stderr)
        return 3
    found: dict[str, list[list[str]]] = {"measure_peak": [], given.function: []}
    for name, code in functions(native().__file__):
        for body in loops(code) if name in found else ():
            if body not in found[name]:
                found[name].append(body)
    print(f"{'cpu':16}{'instructions':>13}{'multiply-adds':>15}{'cycles each':>13}{'of peak':>9}")
    for cpu in given.cpu or ("znver3", "znver4", "znver5", "skylake", "icelake-server"):
        peak = None
        for body in found["measure_peak"] + sorted(found[given.function], key=len):
            took, count = cycles(body, cpu), sum(map(multiplies, body))
            if took is None:
                print(f"{cpu:16}not known to this llvm-mca")
                break
            peak = peak or took / count
            print(f"{cpu:16}{len(body) + 1:>13}{count:>15}{took / count:>13.3f}{peak * count / took:>9.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
