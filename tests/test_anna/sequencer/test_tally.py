"""The tally of a program against what the interpreter does, event by event."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from host_rounds import with_rounds
from hypothesis import given
from random_programs import legal_programs, random_codes
from random_published import published_programs

import anna
import lenet
from anna.board.operations import instructions, round_operations
from anna.chip.refresh import written_in
from anna.machine.interpreter import Interpreter
from anna.machine.state import CalcRecord
from anna.program.file import Program
from anna.sequencer.tally import EVENTS, NO_LAYER, tally

EXAMPLES = Path(__file__).parents[3] / "examples"


class Counted:
    """One image on the interpreter, and what happened, by row of the listing and in all."""

    def __init__(self, program: Program) -> None:
        self.program, self.spec = program, program.spec
        self.total, self.by_row = Counter[str](), dict[tuple[int, int], Counter[str]]()
        self.rows_of_segment = dict[int, set[int]]()
        self.cycles_of_segment, self.pages = list[int](), list[int]()
        machine = Interpreter(program, random_codes(program, 1, 0)[0])
        machine.hooks.append(self.calc)
        self.machine = machine
        while not machine.done:
            name, elapsed = program.ops[machine.state.index].name, machine.state.elapsed
            op = machine.step()
            if name in ("PAGE", "STOP", "END"):  # they end the segment before
                self.cycles_of_segment.append(machine.state.elapsed - elapsed)
            self.pages += [op["page"]] if name == "PAGE" else []
            self.total["instructions"] += 1
            if name == "SHIFT":
                self.total["shifts"] += 1
                self.total["state_words"] += -(-op.states // self.spec.word_states)
            if name == "STORE":
                self.total["stores"] += len(op.members("registers"))
                self.total["stores"] += 0 if self.spec.wide else len(op.members("latches"))
            if name == "OUT":
                self.total["state_words"] += -(-op.states // self.spec.word_states)
            if name == "RFSH":
                self.total["dac_writes"] += self.spec.dacs
        del self.cycles_of_segment[0]  # nothing before the first PAGE

    def calc(self, record: CalcRecord) -> None:
        mine = self.by_row.setdefault((self.machine.state.page, int(record.rows[0, 0])), Counter())
        for counts in (self.total, mine):
            counts["conversions"] += len(record.codes)
            counts["products"] += int((record.weights != 0).sum())
        self.rows_of_segment.setdefault(self.machine.state.segment, set()).update(record.rows.ravel().tolist())

    def batch(self) -> dict[str, int]:
        """The events of a batch: those of each image, and every page once."""
        program, spec = self.program, self.spec
        found = {name: self.total[name] * program.batch for name in EVENTS}
        if spec.wide:
            found["dac_writes"] += program.batch * sum(
                len(written_in(spec, cycle)) for cycles in self.cycles_of_segment for cycle in range(cycles)
            )
            loads = sum(page != self.pages[k - 1] for k, page in enumerate(self.pages))
            found["dac_writes"] += loads * spec.synapses
        else:
            found["dac_writes"] += sum(map(len, self.rows_of_segment.values())) * spec.columns
        found["weight_words"] = found["dac_writes"] // spec.dacs
        if program.host is not None:
            rounds = sum(instructions(round_operations(one)) for one in program.host.rounds)
            found["host_operations"] = program.batch * rounds
        return found


@given(published_programs())
def test_the_events_of_random_programs_are_those_of_the_interpreter(program: Program) -> None:
    assert tally(program).total == Counted(program).batch()


@given(legal_programs())
def test_so_are_those_of_a_chip_that_refreshes_by_itself(program: Program) -> None:
    assert tally(program).total == Counted(program).batch()


@pytest.mark.slow
@given(with_rounds(published_programs()))
def test_the_host_s_rounds_count_as_its_instructions(program: Program) -> None:
    assert tally(program).total == Counted(program).batch()


@pytest.fixture(scope="module")
def lenet5() -> Program:
    return anna.compile(lenet.load("lenet5"), lenet.calibration()[0][:60], round="nearest", fit=False, batch=3)


def test_lenet5_layer_by_layer(lenet5: Program) -> None:
    """Layers by the placement that the listing tells, not by the link map."""
    counted, found = Counted(lenet5), tally(lenet5)
    assert lenet5.report is not None
    layer_of = {
        (place["page"], row): place["layer"]
        for place in lenet5.report["placement"]
        for row in range(place["first_row"], place["first_row"] + place["rows"])
    }
    expected = {layer: Counter[str]() for layer in layer_of.values()}
    for place, counts in counted.by_row.items():
        expected[layer_of[place]].update(counts)
    for layer, counts in expected.items():
        mine = found.of(layer)
        assert {name: lenet5.batch * counts[name] for name in ("products", "conversions")} == {
            name: mine[name] for name in ("products", "conversions")
        }
    written = Counter[str]()
    for segment, rows in counted.rows_of_segment.items():
        for row in rows:
            written[layer_of[counted.pages[segment], row]] += lenet5.spec.columns
    assert {layer: found.of(layer)["dac_writes"] for layer in expected} == dict(written)
    assert {**found.total, "host_operations": 0} == counted.batch()  # the host's: next test


def test_the_host_s_layers_count_their_operations_and_the_states_they_read(lenet5: Program) -> None:
    """F6's 84 states, three instructions each, then 840 multiply-adds: ten distances of 84."""
    assert tally(lenet5).of("output")["host_operations"] == 3 * (84 * 3 + 840)


def test_live_products_are_the_products_of_an_image(lenet5: Program) -> None:
    assert tally(lenet5).total["products"] == 3 * anna.verified(lenet5).live_products


def test_every_instruction_of_a_compiled_program_works_for_a_layer(lenet5: Program) -> None:
    assert NO_LAYER not in tally(lenet5).layers


def test_a_program_written_by_hand_has_no_layers() -> None:
    found = tally(anna.assemble((EXAMPLES / "edges.asm").read_text()))
    assert found.layers == (NO_LAYER,) and found.total["conversions"] == 8 * 12


def test_pages_are_loaded_once_a_batch_and_all_else_happens_with_every_image(lenet5: Program) -> None:
    of_batches = [tally(replace(lenet5, batch=batch)).total for batch in (1, 4)]
    assert not lenet5.issued.named("RFSH").any()
    for name in EVENTS:
        times = 1 if name in ("dac_writes", "weight_words") else 4
        assert of_batches[1][name] == times * of_batches[0][name], name
