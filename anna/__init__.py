"""The ANNA chip and its tools: specification, programs, compiler, analog model, interpreter and engine.

Names are loaded when they are first used, so that `import anna` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anna.analog.calibration import Calibration as Calibration
    from anna.analog.calibration import calibrate as calibrate
    from anna.analog.calibration import calibrated as calibrated
    from anna.analog.die import Die as Die
    from anna.analog.faults import Faults as Faults
    from anna.analog.parameters import Analog as Analog
    from anna.asm import assemble as assemble
    from anna.asm import disassemble as disassemble
    from anna.compiler import CompileOptions as CompileOptions
    from anna.compiler import compile as compile
    from anna.errors import AnnaError as AnnaError
    from anna.machine.chip import Chip as Chip
    from anna.machine.chip import Result as Result
    from anna.machine.chip import run_chips as run_chips
    from anna.machine.elaborate import Schedule as Schedule
    from anna.machine.elaborate import elaborate as elaborate
    from anna.machine.interpreter import Interpreter as Interpreter
    from anna.machine.lockstep import engine_reference as engine_reference
    from anna.machine.lockstep import lockstep as lockstep
    from anna.program import Program as Program
    from anna.program import Region as Region
    from anna.spec import ANNA_1991 as ANNA_1991
    from anna.spec import BOARD_1991 as BOARD_1991
    from anna.spec import BOARD_1996 as BOARD_1996
    from anna.spec import BoardSpec as BoardSpec
    from anna.spec import ChipSpec as ChipSpec
    from anna.verify import verified as verified
    from anna.verify import violations as violations

__version__ = "0.1.0"

_HOMES = {
    "ANNA_1991": "anna.spec",
    "BOARD_1991": "anna.spec",
    "BOARD_1996": "anna.spec",
    "Analog": "anna.analog.parameters",
    "AnnaError": "anna.errors",
    "BoardSpec": "anna.spec",
    "Calibration": "anna.analog.calibration",
    "Chip": "anna.machine.chip",
    "ChipSpec": "anna.spec",
    "CompileOptions": "anna.compiler",
    "Die": "anna.analog.die",
    "Faults": "anna.analog.faults",
    "Interpreter": "anna.machine.interpreter",
    "Program": "anna.program",
    "Region": "anna.program",
    "Result": "anna.machine.chip",
    "Schedule": "anna.machine.elaborate",
    "assemble": "anna.asm",
    "calibrate": "anna.analog.calibration",
    "calibrated": "anna.analog.calibration",
    "compile": "anna.compiler",
    "disassemble": "anna.asm",
    "elaborate": "anna.machine.elaborate",
    "engine_reference": "anna.machine.lockstep",
    "lockstep": "anna.machine.lockstep",
    "run_chips": "anna.machine.chip",
    "verified": "anna.verify",
    "violations": "anna.verify",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'anna' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
