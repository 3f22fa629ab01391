"""`anna info`: describes the chip, or what a program does on it, with cycles."""

import argparse
from collections.abc import Mapping
from typing import Any

from anna.base.errors import UsageError
from anna.chip import facts
from anna.chip.codes import full_scales
from anna.chip.machines import DEFAULT, Machine, machine_named
from anna.chip.spec import ChipSpec, Sequencer
from anna.program.file import Program
from anna.sequencer.rules import verified
from anna.sequencer.timeline import Timeline
from sim.cli import values
from sim.cli.command import Command, table, write
from sim.cli.machine import host_text, machine_facts, machine_text, rounds_text
from sim.cli.options import add, positional


def _arguments(parser: argparse.ArgumentParser) -> None:
    positional(parser, "file", values.file(".anna"), "a program (default: describe a machine)", nargs="?")
    add(parser, "--machine", default_text=DEFAULT)
    add(parser, "--facts")
    add(parser, "--isa")


def _chip(spec: ChipSpec) -> dict[str, Any]:
    return {
        "clock_hz": spec.clock_hz,
        "synapses": spec.synapses,
        "neurons_at_once": spec.neurons_at_once,
        "max_inputs": spec.max_inputs,
        "peak_connections_per_s": spec.peak_connections_per_s,
        "refresh_us": spec.refresh_period_cycles * spec.cycle_ns / 1e3,
        "refresh_writes_us": spec.refresh_write_cycles * spec.cycle_ns / 1e3,
        "refresh_overhead_cycles": spec.refresh_overhead_cycles,
        "state_rate_per_s": spec.state_rate_per_s,
        "weight_bits": spec.weight_bits,
        "state_bits": spec.state_bits,
        "scale_bits": spec.scale_bits,
        "fan_ins": list(spec.fan_ins),
        "adc_full_scales_lsb": full_scales(spec).tolist(),
        "memory_states": spec.memory_states,
    }


def _machine(machine: Machine) -> dict[str, Any]:
    return {
        "machine": machine.name,
        **_chip(machine.chip),
        "instruction_set": machine.chip.instruction_set,
        "sequencer": machine.sequencer.model_dump(mode="json"),
        "chips": machine.chips,
        "host_multiply_adds_per_s": machine.host_multiply_adds_per_s,
        "host_issues": machine.host_issues,
    }


def _program(program: Program, timeline: Timeline) -> dict[str, Any]:
    loading = timeline.page_load_cycles_per_image
    busy = {**timeline.busy_cycles, "page_loads": loading}
    return {
        "name": program.name,
        "instructions": len(program.issued),
        "pages": len(program.weight_codes),
        "batch": program.batch,
        "window_states": program.window_states,
        "input": {"name": program.input.name, "shape": list(program.input.shape)},
        "outputs": [{"name": region.name, "shape": list(region.shape)} for region in program.outputs],
        "cycles_per_image": timeline.cycles_per_image,
        "chip_us_per_image": timeline.seconds_per_image * 1e6,
        "segments": [{"page": segment.page, "cycles": segment.cycles} for segment in timeline.segments],
        "page_load_cycles": timeline.page_load_cycles,
        "page_loads_per_batch": timeline.page_loads,  # all of which take page_load_cycles
        "page_load_cycles_per_image": loading,
        "busy_cycles": timeline.busy_cycles,
        "stall_cycles": timeline.stall_cycles,
        "utilisation": {unit: cycles / max(1, timeline.cycles_per_image) for unit, cycles in busy.items()},
        "live_synapse_products": timeline.live_products,
        **machine_facts(program),
    }


def _machine_text(machine: Machine) -> str:
    spec = machine.chip
    mark = {name: origin["mark"] for name, origin in ChipSpec.provenance().items()}
    period, writes = spec.refresh_period_cycles, spec.refresh_write_cycles
    us = spec.cycle_ns / 1e3
    rows = [
        ("machine", f"{machine.name}: {machine.chips} chip{'s' if machine.chips > 1 else ''}", ""),
        ("instructions", f"the {spec.instruction_set} set", mark["instruction_set"]),
        ("sequencer", _sequencer_text(machine), Sequencer.provenance()["overlap"]["mark"]),
        ("host", _rate_text(machine), Machine.provenance()["host_multiply_adds_per_s"]["mark"]),
        ("synapses", f"{spec.synapses:,} in {spec.rows} rows of {spec.columns}", facts.SYNAPSES.mark.value),
        ("codes", f"weights {spec.weight_bits} bits, states {spec.state_bits} bits, scale {spec.scale_bits} bits",
         mark["weight_bits"]),
        ("levels", f"weights {spec.weight_levels}, states {spec.state_levels}, ADC {spec.adc_curve}", mark["adc_curve"]),
        ("inputs of a neuron", ", ".join(map(str, spec.fan_ins)), mark["fan_ins"]),
        ("neurons at once", f"{spec.neurons_at_once} in {spec.calc_cycles} cycles", mark["neurons_at_once"]),
        ("clock", f"{spec.clock_hz / 1e6:g} MHz", mark["clock_hz"]),
        ("peak", f"{spec.peak_connections_per_s / 1e9:g} G connections/s", facts.PEAK_CONNECTIONS_PER_S.mark.value),
        ("states in, states out", f"{spec.state_rate_per_s / 1e6:g} M/s each", facts.STATE_RATE_PER_S.mark.value),
        ("refresh of all weights",
         f"{period * us:g} us = {writes * us:g} us of writes + {spec.refresh_overhead_cycles} cycles",
         facts.REFRESH_US.mark.value),
        ("state memory", "unlimited" if spec.memory_states is None else f"{spec.memory_states:,} states",
         mark["memory_states"]),
    ]  # fmt: skip
    legend = "marks: P published, R recalled, D derived, A assumed"
    return table(rows) + f"\n\n{legend}; sources: anna info --facts"


def _sequencer_text(machine: Machine) -> str:
    sequencer = machine.sequencer
    who = "the host" if machine.host_issues else "of its own"
    beside = {"none": "nothing runs side by side", "shift-calc": "SHIFT beside CALC", "all": "all units run side by side"}
    rate = sequencer.instructions_per_s
    pace = f"up to {machine.chip.issue_width} instructions a cycle" if rate is None else f"{rate / 1e6:g} M instructions/s"
    data = "" if sequencer.bytes_per_s is None else f", {sequencer.bytes_per_s / 1e6:g} MByte/s"
    return f"{who}, {pace}{data}, {beside[sequencer.overlap]}"


def _rate_text(machine: Machine) -> str:
    rate = machine.host_multiply_adds_per_s
    return "speed not known" if rate is None else f"{rate / 1e6:g} M multiply-adds/s in 32-bit float"


def _program_text(program: Program, timeline: Timeline, info: Mapping[str, Any]) -> str:
    shape = "x".join(map(str, program.input.shape))
    rows = [
        ("program", program.name),
        ("image", f"{shape} states, region {program.input.name}"),
        ("outputs", ", ".join(f"{region.name} {'x'.join(map(str, region.shape))}" for region in program.outputs) or "none"),
        ("instructions", f"{info['instructions']:,}"),
        ("weight pages", f"{len(program.weight_codes)}, {timeline.page_loads} loads for a batch of {program.batch}"),
        ("memory", f"{program.window_states:,} states per image"),
        ("cycles per image", f"{timeline.cycles_per_image:,g} = {timeline.seconds_per_image * 1e6:,g} us"),
        *((f"{unit} busy", f"{info['busy_cycles'][unit]:,} cycles, {info['utilisation'][unit]:.1%}"
           + (f", stalled {info['stall_cycles'][unit]:,}" if unit in info["stall_cycles"] else ""))
          for unit in info["busy_cycles"]),
        ("page loads", f"{info['page_load_cycles_per_image']:,g} cycles, {info['utilisation']['page_loads']:.1%}"),
        ("live synapses", f"{timeline.live_products:,} products per image, including biases and partial sums"),
    ]  # fmt: skip
    if program.report:
        rows += [
            ("multiply-adds", f"{info['chip_multiply_adds']:,} per image on the chip, as the network counts them"),
            ("host", host_text(info)),
            *rounds_text(info),
            ("machine", machine_text(info)),
        ]
    return table(rows)


def _facts_text() -> str:
    rows = [("constant", "value", "unit", "mark", "source")]
    rows += [(name, f"{fact.value}", fact.unit, fact.mark.value, fact.source) for name, fact in facts.all_facts().items()]
    papers = "\n".join(f"  {number}. {paper}" for number, paper in facts.PAPERS.items())
    return f"{table(rows)}\n\npapers:\n{papers}"


def _run(given: argparse.Namespace) -> None:
    if given.file is not None:
        if given.machine is not None:
            raise UsageError(f"{given.file} says itself which machine it is for; leave out --machine")
        program = Program.load(given.file)
        timeline = verified(program)
        info = _program(program, timeline)
        write({**_chip(program.spec), **info}, _program_text(program, timeline, info), given.json)
    elif given.facts:
        known = {name: {"value": fact.value, "unit": fact.unit, "mark": fact.mark.value, "source": fact.source}
                 for name, fact in facts.all_facts().items()}  # fmt: skip
        write({"facts": known, "papers": facts.PAPERS}, _facts_text(), given.json)
    elif given.isa:
        from anna.program.manual import manual

        text = manual(machine_named(given.machine or DEFAULT).chip)
        write({"markdown": text}, text, given.json)
    else:
        machine = machine_named(given.machine or DEFAULT)
        write(_machine(machine), _machine_text(machine), given.json)


COMMAND = Command(
    description="Describes a machine and its chip; with a file, what its program takes: cycles, utilisation, pages, memory,\n"
    "host.",
    examples=("anna info", "anna info --machine board-1991", "anna info edges.anna --json", "anna info --facts"),
    arguments=_arguments,
    run=_run,
)
