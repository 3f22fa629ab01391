// One chip's recording, replayed: what lies in each cell after so many instructions, and what each CALC took and gave.

import { begins, summed, unpacked } from "./unpack.js";

const KEPT_BYTES = 1 << 26; // of snapshots to step back from

export class Chip {
  static async read(program, raw) {
    const chip = new Chip();
    Object.assign(chip, await unpacked(raw));
    chip.program = program;
    chip.title = raw.title;
    chip.first = begins(chip.changed);
    chip.cells = summed(chip.cells);
    chip.now = Int32Array.from(chip.begin);
    chip.weights = chip.sinceLastUse(chip.weights);
    chip.levels = 2 ** program.chip.stateBits;
    chip.units = 2 ** program.chip.fractionBits * (chip.drives[1] - chip.drives[0]); // of a sum, in weight LSB x state LSB
    chip.takeSnapshots();
    return chip;
  }

  // The weights of all operands, from differences to what each synapse had before.
  sinceLastUse(differences) {
    const { program } = this, { rows, columns } = program.chip;
    const last = new Int32Array(program.pageCount * rows * columns), found = new Int32Array(differences.length);
    for (let k = 0; k < program.calcCount; k++) {
      const calc = program.calc(k), place = program.place(calc.page, calc.row * columns);
      for (let j = 0; j < calc.neurons * calc.fanIn; j++) {
        found[calc.operand + j] = last[place + j] += differences[calc.operand + j];
      }
    }
    return found;
  }

  takeSnapshots() {
    const most = Math.max(2, Math.floor(KEPT_BYTES / this.now.byteLength));
    this.every = Math.max(64, Math.ceil(this.program.count / most));
    this.snapshots = [];
    this.at = 0;
    for (let at = 0; at <= this.program.count; at += this.every) {
      this.forward(at);
      this.snapshots.push(this.now.slice());
    }
  }

  // Makes the cells what they are after `at` instructions.
  go(at) {
    if (at < this.at) {
      const snapshot = Math.floor(at / this.every);
      this.now.set(this.snapshots[snapshot]);
      this.at = snapshot * this.every;
    }
    this.forward(at);
  }

  forward(at) {
    for (let k = this.first[this.at]; k < this.first[at]; k++) this.now[this.cells[k]] = this.values[k];
    this.at = at;
  }

  // State code at an address, or -1 where nothing was written.
  memory(address) {
    return this.now[address];
  }

  held(block, column) {
    return this.now[block.first + column];
  }

  level(code) {
    return code - (this.levels - 1) / 2;
  }

  // Cycles since a synapse was written, at a cycle of the page segment; null: not written in this segment.
  age(row, column, cycle) {
    const { chip, refresh, block } = this.program, place = row * chip.columns + column;
    if (refresh) return (((cycle - refresh.written[place]) % refresh.period) + refresh.period) % refresh.period;
    return cycle - this.now[block.charges.first + Math.floor(place / chip.dacs)];
  }

  // The weight that an operand had, in weight LSB, its state code, and their product in units of a sum.
  operand(calc, j) {
    const { chip } = this.program, k = calc.operand + j, place = calc.row * chip.columns + j;
    const state = this.states[k], drive = this.drives[this.driveOf[place] * this.levels + state];
    return { weight: this.weights[k] / 2 ** chip.fractionBits, state, product: this.weights[k] * drive };
  }

  // A neuron of a CALC: the sum of its products, what its ADC saw, its thresholds, and the code it gave.
  neuron(calc, n) {
    let products = 0;
    for (let j = n * calc.fanIn; j < (n + 1) * calc.fanIn; j++) products += this.operand(calc, j).product;
    const k = calc.sum + n, steps = this.levels - 1;
    const thresholds = this.thresholds.subarray(this.threshold[k] * steps, (this.threshold[k] + 1) * steps);
    return { products, seen: this.sums[k], thresholds, code: this.codes[k] };
  }
}
