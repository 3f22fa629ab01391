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
    from anna.lab.trim import Calibration as Calibration
    from anna.lab.trim import calibrate as calibrate
    from anna.lab.trim import calibrated as calibrated
    from anna.machine.chip import Chip as Chip
    from anna.machine.chip import Result as Result
    from anna.machine.chip import run_chips as run_chips
    from anna.machine.interpreter import Interpreter as Interpreter
    from anna.machine.lockstep import engine_reference as engine_reference
    from anna.machine.lockstep import lockstep as lockstep
    from anna.program.file import Program as Program
    from anna.program.file import Region as Region
    from anna.program.text import assemble as assemble
    from anna.program.text import disassemble as disassemble
    from anna.sequencer.rules import verified as verified
    from anna.sequencer.rules import violations as violations
    from anna.sequencer.timeline import Schedule as Schedule
    from anna.sequencer.timeline import elaborate as elaborate

__version__ = "0.1.0"

_HOMES = {
    "ANNA_1991": "anna.chip.spec",
    "BOARD_1991": "anna.chip.spec",
    "BOARD_1996": "anna.chip.spec",
    "Analog": "anna.analog.parameters",
    "AnnaError": "anna.base.errors",
    "BoardSpec": "anna.chip.spec",
    "Calibration": "anna.lab.trim",
    "Chip": "anna.machine.chip",
    "ChipSpec": "anna.chip.spec",
    "CompileOptions": "anna.compiler",
    "Die": "anna.analog.die",
    "Faults": "anna.analog.faults",
    "Interpreter": "anna.machine.interpreter",
    "Program": "anna.program.file",
    "Region": "anna.program.file",
    "Result": "anna.machine.chip",
    "Schedule": "anna.sequencer.timeline",
    "assemble": "anna.program.text",
    "calibrate": "anna.lab.trim",
    "calibrated": "anna.lab.trim",
    "compile": "anna.compiler",
    "disassemble": "anna.program.text",
    "elaborate": "anna.sequencer.timeline",
    "engine_reference": "anna.machine.lockstep",
    "lockstep": "anna.machine.lockstep",
    "run_chips": "anna.machine.chip",
    "verified": "anna.sequencer.rules",
    "violations": "anna.sequencer.rules",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'anna' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
