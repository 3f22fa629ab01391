"""The ANNA chip and its tools: specification, networks, compiler, programs, analog model, interpreter and engine.

Names are loaded when first used, so that `import anna` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import anna.lab as lab
    import anna.torch as torch
    from anna.analog.die import Die as Die
    from anna.analog.faults import Faults as Faults
    from anna.analog.parameters import Analog as Analog
    from anna.base.errors import AnnaError as AnnaError
    from anna.chip.machines import MACHINES as MACHINES
    from anna.chip.machines import Machine as Machine
    from anna.chip.spec import ANNA_1991 as ANNA_1991
    from anna.chip.spec import ANNA_WIDE as ANNA_WIDE
    from anna.chip.spec import ChipSpec as ChipSpec
    from anna.compiler import CompileOptions as CompileOptions
    from anna.compiler import compilation as compilation
    from anna.compiler import compile as compile
    from anna.compiler.planner import Plan as Plan
    from anna.compiler.planner import plan as plan
    from anna.compiler.reference import float_reference as float_reference
    from anna.exporters.answers import check_answers as check_answers
    from anna.exporters.bundle import export as export
    from anna.exporters.rtl import export_rtl as export_rtl
    from anna.importers import load_network as load_network
    from anna.importers.modules import import_network as import_network
    from anna.lab.host_fit import fit_host as fit_host
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
    from anna.native.loader import simd_levels as simd_levels
    from anna.network.activations import Activation as Activation
    from anna.network.drawing import save_drawing as save_drawing
    from anna.network.file import save_network as save_network
    from anna.network.forward import forward as forward
    from anna.network.graph import Affine as Affine
    from anna.network.graph import Arrangement as Arrangement
    from anna.network.graph import Combination as Combination
    from anna.network.graph import Concatenation as Concatenation
    from anna.network.graph import Convolution as Convolution
    from anna.network.graph import Ensemble as Ensemble
    from anna.network.graph import FullConnection as FullConnection
    from anna.network.graph import Graph as Graph
    from anna.network.graph import Normalisation as Normalisation
    from anna.network.graph import Pool as Pool
    from anna.network.graph import Prelu as Prelu
    from anna.network.graph import Prepare as Prepare
    from anna.network.graph import Rbf as Rbf
    from anna.network.graph import Reduction as Reduction
    from anna.network.graph import Softmax as Softmax
    from anna.network.graph import Subsample as Subsample
    from anna.program.file import Program as Program
    from anna.program.file import Region as Region
    from anna.program.report import listing as listing
    from anna.program.text import assemble as assemble
    from anna.program.text import disassemble as disassemble
    from anna.sequencer.rules import verified as verified
    from anna.sequencer.rules import violations as violations
    from anna.sequencer.tally import Tally as Tally
    from anna.sequencer.tally import tally as tally
    from anna.sequencer.timeline import Timeline as Timeline
    from anna.sequencer.walk import elaborate as elaborate
    from anna.trace.perfetto import perfetto as perfetto
    from anna.trace.vcd import vcd as vcd

__version__ = "0.1.0"

_HOMES = {
    "ANNA_1991": "anna.chip.spec",
    "ANNA_WIDE": "anna.chip.spec",
    "Activation": "anna.network.activations",
    "Affine": "anna.network.graph",
    "Analog": "anna.analog.parameters",
    "AnnaError": "anna.base.errors",
    "Arrangement": "anna.network.graph",
    "Chip": "anna.machine.chip",
    "ChipSpec": "anna.chip.spec",
    "Combination": "anna.network.graph",
    "CompileOptions": "anna.compiler",
    "Concatenation": "anna.network.graph",
    "Convolution": "anna.network.graph",
    "Die": "anna.analog.die",
    "Ensemble": "anna.network.graph",
    "Faults": "anna.analog.faults",
    "FullConnection": "anna.network.graph",
    "Graph": "anna.network.graph",
    "Interpreter": "anna.machine.interpreter",
    "MACHINES": "anna.chip.machines",
    "Machine": "anna.chip.machines",
    "Normalisation": "anna.network.graph",
    "Plan": "anna.compiler.planner",
    "Pool": "anna.network.graph",
    "Prelu": "anna.network.graph",
    "Prepare": "anna.network.graph",
    "Program": "anna.program.file",
    "Rbf": "anna.network.graph",
    "Reduction": "anna.network.graph",
    "Region": "anna.program.file",
    "Result": "anna.machine.chip",
    "Softmax": "anna.network.graph",
    "Subsample": "anna.network.graph",
    "Tally": "anna.sequencer.tally",
    "Timeline": "anna.sequencer.timeline",
    "Trim": "anna.lab.trim",
    "assemble": "anna.program.text",
    "check_answers": "anna.exporters.answers",
    "compilation": "anna.compiler",
    "compile": "anna.compiler",
    "disassemble": "anna.program.text",
    "elaborate": "anna.sequencer.walk",
    "engine_reference": "anna.machine.lockstep",
    "export": "anna.exporters.bundle",
    "export_rtl": "anna.exporters.rtl",
    "fit_host": "anna.lab.host_fit",
    "float_reference": "anna.compiler.reference",
    "forward": "anna.network.forward",
    "import_network": "anna.importers.modules",
    "input_codes": "anna.machine.inputs",
    "listing": "anna.program.report",
    "load_network": "anna.importers",
    "lockstep": "anna.machine.lockstep",
    "measure_trim": "anna.lab.trim",
    "perfetto": "anna.trace.perfetto",
    "plan": "anna.compiler.planner",
    "run_chips": "anna.machine.chip",
    "save_drawing": "anna.network.drawing",
    "save_network": "anna.network.file",
    "simd_levels": "anna.native.loader",
    "trim": "anna.lab.trim",
    "tally": "anna.sequencer.tally",
    "vcd": "anna.trace.vcd",
    "verified": "anna.sequencer.rules",
    "violations": "anna.sequencer.rules",
}

# Names of version 0.1; the next minor version removes them.
_RENAMED = {
    "BoardSpec": "Machine",
    "Calibration": "Trim",
    "Schedule": "Timeline",
    "calibrate": "measure_trim",
    "calibrated": "trim",
}
_FORMER_MACHINES = {"BOARD_1991": "anna.MACHINES['wide']", "BOARD_1996": "anna.MACHINES['wide'].changed(chips=2)"}

__all__ = ["__version__", "lab", "torch", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name in ("lab", "torch"):  # measurements of a chip, training for it: namespaces of their own
        return import_module(f"anna.{name}")
    if name in _RENAMED:
        from anna.base.renamed import warn

        warn(f"anna.{name}", f"anna.{_RENAMED[name]}")
        return __getattr__(_RENAMED[name])
    if name in _FORMER_MACHINES:
        from anna.base.renamed import warn
        from anna.chip.machines import MACHINES

        warn(f"anna.{name}", _FORMER_MACHINES[name])
        return MACHINES["wide"].changed(chips=2 if name == "BOARD_1996" else 1)
    raise AttributeError(f"module 'anna' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
