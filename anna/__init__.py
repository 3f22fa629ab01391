"""The ANNA chip and its tools: specification, programs, compiler, analog model, interpreter and engine.

Names are loaded when they are first used, so that `import anna` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anna.analog.die import Die as Die
    from anna.analog.faults import Faults as Faults
    from anna.analog.parameters import Analog as Analog
    from anna.base.errors import AnnaError as AnnaError
    from anna.chip.spec import ANNA_1991 as ANNA_1991
    from anna.chip.spec import BOARD_1991 as BOARD_1991
    from anna.chip.spec import BOARD_1996 as BOARD_1996
    from anna.chip.spec import BoardSpec as BoardSpec
    from anna.chip.spec import ChipSpec as ChipSpec
    from anna.compiler import CompileOptions as CompileOptions
    from anna.compiler import compile as compile
    from anna.lab.trim import Trim as Trim
    from anna.lab.trim import measure_trim as measure_trim
    from anna.lab.trim import trim as trim
    from anna.machine.chip import Chip as Chip
    from anna.machine.chip import Result as Result
    from anna.machine.chip import run_chips as run_chips
    from anna.machine.inputs import input_codes as input_codes
    from anna.machine.interpreter import Interpreter as Interpreter
    from anna.machine.lockstep import engine_reference as engine_reference
    from anna.machine.lockstep import lockstep as lockstep
    from anna.program.file import Program as Program
    from anna.program.file import Region as Region
    from anna.program.text import assemble as assemble
    from anna.program.text import disassemble as disassemble
    from anna.sequencer.rules import verified as verified
    from anna.sequencer.rules import violations as violations
    from anna.sequencer.timeline import Timeline as Timeline
    from anna.sequencer.timeline import elaborate as elaborate

__version__ = "0.1.0"

_HOMES = {
    "ANNA_1991": "anna.chip.spec",
    "BOARD_1991": "anna.chip.spec",
    "BOARD_1996": "anna.chip.spec",
    "Analog": "anna.analog.parameters",
    "AnnaError": "anna.base.errors",
    "BoardSpec": "anna.chip.spec",
    "Chip": "anna.machine.chip",
    "ChipSpec": "anna.chip.spec",
    "CompileOptions": "anna.compiler",
    "Die": "anna.analog.die",
    "Faults": "anna.analog.faults",
    "Interpreter": "anna.machine.interpreter",
    "Program": "anna.program.file",
    "Region": "anna.program.file",
    "Result": "anna.machine.chip",
    "Timeline": "anna.sequencer.timeline",
    "Trim": "anna.lab.trim",
    "assemble": "anna.program.text",
    "compile": "anna.compiler",
    "disassemble": "anna.program.text",
    "elaborate": "anna.sequencer.timeline",
    "engine_reference": "anna.machine.lockstep",
    "input_codes": "anna.machine.inputs",
    "lockstep": "anna.machine.lockstep",
    "measure_trim": "anna.lab.trim",
    "run_chips": "anna.machine.chip",
    "trim": "anna.lab.trim",
    "verified": "anna.sequencer.rules",
    "violations": "anna.sequencer.rules",
}

# Names of version 0.1, which go with the next minor version.
_RENAMED = {"Calibration": "Trim", "Schedule": "Timeline", "calibrate": "measure_trim", "calibrated": "trim"}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in _RENAMED:
        from anna.base.renamed import warn

        warn(f"anna.{name}", f"anna.{_RENAMED[name]}")
        return __getattr__(_RENAMED[name])
    raise AttributeError(f"module 'anna' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
