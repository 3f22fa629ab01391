// The array of synapses: the page's weights, the products of the CALC at work, or the ages of charges.

import { between, colour, signed } from "./colours.js";
import { Grid } from "./grid.js";
import { count, plus } from "./words.js";

export class SynapseArray {
  constructor(chip, view) {
    const { rows, columns } = view.program.chip;
    Object.assign(this, { chip, view });
    this.grid = new Grid({
      label: `array of ${rows} by ${columns} synapses of the ${chip.title}`, rows, columns,
      paint: (row, column) => this.paint(row, column), tell: (row, column) => this.tell(row, column), marks: () => [],
    }, view.told);
    this.grid.canvas.className = "array";
  }

  get element() {
    return this.grid.canvas;
  }

  // The operand of the CALC at work that a synapse computes; -1: none.
  operand(row, column) {
    const { calc, program } = this.view;
    if (!calc || calc.page !== this.view.page) return -1;
    const j = (row - calc.row) * program.chip.columns + column;
    return j >= 0 && j < calc.neurons * calc.fanIn ? j : -1;
  }

  weightCode(row, column) {
    return this.view.program.weightCode(this.view.page, row * this.view.program.chip.columns + column);
  }

  paint(row, column) {
    const { view, chip } = this, { program } = view, { loading } = view;
    if (loading && !loading.rows.has(row)) return colour.soft;
    const top = 2 ** (program.chip.weightBits - 1), weight = program.weightLevel(this.weightCode(row, column)) / top;
    const j = loading ? -1 : this.operand(row, column);
    if (view.shown === "ages") {
      const age = loading ? 0 : chip.age(row, column, view.cycleOfSegment);
      return view.rowsInUse.has(row) ? between(colour.low, colour.old, age / view.oldest) : colour.soft;
    }
    if (view.shown === "weights") return signed(weight);
    if (j < 0) return between(colour.soft, signed(weight), 0.3);
    const { product } = chip.operand(view.calc, j);
    return signed(Math.sign(product) * Math.sqrt(Math.abs(product) / chip.units / (top * ((chip.levels - 1) / 2))));
  }

  tell(row, column) {
    const { view } = this, { program } = view, code = this.weightCode(row, column), j = this.operand(row, column);
    const where = `synapse at row ${row}, column ${column}: weight code ${code} (${plus(program.weightLevel(code), 1)} LSB)`;
    if (view.loading) return `${where}, page being loaded`;
    return view.compared(where, (chip) => {
      const age = `charge ${count(chip.age(row, column, view.cycleOfSegment))} cycles old`;
      if (j < 0) return view.rowsInUse.has(row) ? age : "not written on this page";
      const { weight, state, product } = chip.operand(view.calc, j), origin = view.calc.origins[j];
      return `${age}, weight ${plus(weight, 3)} × state ${view.state(chip, state)}` +
        `${origin < 0 ? "" : ` of ${view.homes.text(origin)}`} = ${plus(product)} units`;
    });
  }

  fit() {
    this.grid.fit();
  }

  draw() {
    this.grid.draw();
  }
}
