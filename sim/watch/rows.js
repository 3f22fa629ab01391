// Rows of states on the chip: the shifter, the registers of the state storage, and the latches that the array sees.

import { ofState } from "./colours.js";
import { Grid } from "./grid.js";

export class Rows {
  constructor(chip, view) {
    this.element = document.createElement("div");
    this.element.className = "rows";
    const held = Object.values(view.program.block).filter(({ name }) => name !== "memory" && name !== "charges");
    this.grids = held.map((block) => {
      const grid = new Grid({
        label: `${block.name} of the ${chip.title}`, rows: 1, columns: block.size,
        paint: (_, column) => ofState(chip.held(block, column), chip.levels),
        tell: (_, column) =>
          view.compared(`${block.name}, column ${column}`, (one) => view.state(one, one.held(block, column))),
        marks: () => this.marks(chip, view, block),
      }, view.told);
      const name = document.createElement("span");
      name.textContent = block.name;
      this.element.append(name, grid.canvas);
      return grid;
    });
  }

  *marks(chip, view, block) {
    for (let column = 0; column < block.size; column++) {
      if (view.differs(chip) && view.cellDiffers(block.first + column)) yield [0, column, "differs"];
    }
  }

  fit() {
    for (const grid of this.grids) grid.fit();
  }

  draw() {
    for (const grid of this.grids) grid.draw();
  }
}
