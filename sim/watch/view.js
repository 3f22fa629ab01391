// What is shown now: the moment, the CALC at work, what an instruction touches, and how the chips compare.

import { plus } from "./words.js";

export class View {
  constructor(program, chips, homes, told) {
    Object.assign(this, { program, chips, homes, told, shown: "products" });
    program.home = homes.name;
    this.go(0, 0);
  }

  // To a number of instructions that have begun, and a cycle.
  go(at, now) {
    const { program } = this;
    Object.assign(this, { at, now });
    for (const chip of this.chips) chip.go(at);
    const last = program.calcBefore(at), segment = program.segmentAt(now);
    this.segment = segment;
    this.cycleOfSegment = at > 0 && program.segmentOf(at - 1) === segment ? program.start[at - 1] - segment.start : 0;
    this.rowsInUse = new Set(program.chip.wide ? Array(program.chip.rows).keys() : segment.rows);
    this.loading = null;
    if (now < segment.start) {
      const share = (now - segment.load) / segment.loadCycles;
      const rows = program.chip.wide ? [...this.rowsInUse] : segment.rows;
      this.loading = { share, rows: new Set(rows.slice(0, Math.ceil(share * rows.length))) };
    }
    this.page = segment.page;
    const calc = last >= 0 ? program.calc(last) : null;
    this.calc = calc && program.segmentOf(calc.index) === segment ? calc : null;
    this.window = new Set(this.calc?.origins);
    this.touched = at > 0 && !this.loading ? program.addresses(at - 1) : [];
    this.layer = this.loading ? program.layerAt(now) : at > 0 ? program.layer(at - 1) : "";
    this.taken = new Set();
    for (let i = this.calc ? this.calc.index + 1 : at; i < at; i++) {
      const taken = program.taken(i);
      for (let n = 0; taken?.calc === last && n < taken.count; n++) this.taken.add(taken.neuron + n);
    }
    this.oldest = Math.max(1, ...[...this.rowsInUse].map((row) => this.chips[0].age(row, 0, this.cycleOfSegment)));
  }

  seek(cycle) {
    const now = Math.min(this.program.cycles, Math.max(0, cycle));
    this.go(this.program.issued(now), now);
  }

  // To just after an instruction has begun.
  after(at) {
    const within = Math.min(this.program.count, Math.max(0, at));
    this.go(within, within ? this.program.start[within - 1] : 0);
  }

  state(chip, code) {
    return `${code} (${plus(chip.level(code), 1)} LSB)`;
  }

  // Whether differences are marked on this chip: on all but the first.
  differs(chip) {
    return this.chips.length > 1 && chip !== this.chips[0];
  }

  unequal(value) {
    return this.chips.some((chip) => value(chip) !== value(this.chips[0]));
  }

  // The same for a cell, of which there are many.
  cellDiffers(cell) {
    return this.chips.length > 1 && this.chips[1].now[cell] !== this.chips[0].now[cell];
  }

  // A sentence with what each chip has to say, once if they agree.
  compared(where, text) {
    const found = this.chips.map((chip) => text(chip));
    if (found.every((one) => one === found[0])) return `${where}: ${found[0]}`;
    return `${where}: ${this.chips.map((chip, k) => `${chip.title}: ${found[k]}`).join("; ")}`;
  }
}
