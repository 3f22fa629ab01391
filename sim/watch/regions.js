// The regions of the state memory as maps side by side: image, feature maps, outputs.

import { colour, between, ofState } from "./colours.js";
import { Grid } from "./grid.js";
import { count } from "./words.js";

const LARGEST = 10, SMALLEST = 2; // pixels of a state
const SIDE_BY_SIDE = 4; // maps, at least, if they fit at all

// A region as maps of rows and columns, with the address of each state.
export class Region {
  constructor({ name, kind, address, shape, steps }) {
    Object.assign(this, { name, kind });
    const axes = [1, 1, 1, 1, ...shape].slice(-4), strides = [0, 0, 0, 0, ...steps].slice(-4);
    [this.rows, this.columns] = axes.slice(2);
    this.maps = axes[0] * axes[1];
    this.address = (map, row, column) =>
      address + Math.floor(map / axes[1]) * strides[0] + (map % axes[1]) * strides[1] + row * strides[2] + column * strides[3];
    this.shape = shape.join("×");
  }

  *places() {
    for (let map = 0; map < this.maps; map++) {
      for (let row = 0; row < this.rows; row++) {
        for (let column = 0; column < this.columns; column++) yield [this.address(map, row, column), map, row, column];
      }
    }
  }

  placed(map, row, column) {
    return this.rows * this.columns > 1 ? `${this.name} map ${map}, row ${row}, column ${column}` : `${this.name} ${map}`;
  }
}

// Where every address of the memory belongs: the region and the place in it.
export function homes(regions, constants) {
  const found = new Map();
  for (const region of regions) {
    for (const [address, ...place] of region.places()) found.set(address, { region, place });
  }
  return {
    of: (address) => found.get(address),
    name: (address) => found.get(address)?.region.name ?? "constants",
    text(address) {
      const home = found.get(address);
      return home ? home.region.placed(...home.place) : `constant at ${address}`;
    },
  };
}

export class Maps {
  constructor(region, chip, view) {
    Object.assign(this, { region, chip, view, across: 1, places: [...region.places()] });
    this.gap = region.rows * region.columns > 1 ? 1 : 0;
    this.figure = document.createElement("figure");
    this.caption = document.createElement("figcaption");
    this.grid = new Grid({
      label: `${region.name}, ${region.kind}, ${region.shape} states on the ${chip.title}`, rows: 1, columns: 1,
      paint: (row, column) => this.paint(row, column), tell: (row, column) => this.tell(row, column), marks: () => this.marks(),
    }, view.told);
    this.figure.append(this.caption, this.grid.canvas);
  }

  // As many maps side by side as fit, each state as large as that allows.
  fit() {
    const width = this.figure.parentElement.clientWidth, { region, gap, grid } = this, wide = region.columns + gap, high = region.rows + gap;
    const beside = Math.min(region.maps, gap ? SIDE_BY_SIDE : 40);
    const size = Math.min(LARGEST, Math.max(SMALLEST, Math.floor((width + gap) / wide / beside)));
    this.across = Math.max(1, Math.min(region.maps, Math.floor(width / size / wide)));
    grid.columns = this.across * wide - gap;
    grid.rows = Math.ceil(region.maps / this.across) * high - gap;
    grid.canvas.style.width = `${grid.columns * size}px`;
    grid.canvas.style.height = `${grid.rows * size}px`;
    grid.fit();
  }

  // The place that is drawn at a square: map, row and column; null between maps.
  at(row, column) {
    const { region, gap } = this, wide = region.columns + gap, high = region.rows + gap;
    const map = Math.floor(row / high) * this.across + Math.floor(column / wide), place = [map, row % high, column % wide];
    return map < region.maps && place[1] < region.rows && place[2] < region.columns ? place : null;
  }

  square([map, row, column]) {
    const { region, gap } = this;
    return [Math.floor(map / this.across) * (region.rows + gap) + row, (map % this.across) * (region.columns + gap) + column];
  }

  paint(row, column) {
    const place = this.at(row, column);
    if (!place) return null;
    const address = this.region.address(...place), base = ofState(this.chip.memory(address), this.chip.levels);
    return this.view.window.has(address) ? between(base, colour.lit, 0.45) : base;
  }

  tell(row, column) {
    const place = this.at(row, column);
    if (!place) return "";
    const address = this.region.address(...place), where = `${this.region.placed(...place)}, address ${address}`;
    return this.view.compared(where, (chip) => {
      const code = chip.memory(address);
      return code < 0 ? "nothing yet" : this.view.state(chip, code);
    });
  }

  *marks() {
    for (const address of this.view.touched) {
      const home = this.view.homes.of(address);
      if (home?.region === this.region) yield [...this.square(home.place), "lit"];
    }
    if (this.view.differs(this.chip)) {
      for (const [address, ...place] of this.places) {
        if (this.view.cellDiffers(address)) yield [...this.square(place), "differs"];
      }
    }
  }

  draw() {
    const { region, view } = this, all = this.places.length;
    let written = 0, unequal = 0;
    for (const [address] of this.places) {
      written += this.chip.memory(address) >= 0;
      unequal += view.differs(this.chip) && view.cellDiffers(address);
    }
    const many = region.kind === "input" || written === all ? "" : `, ${count(written)} of ${count(all)} written`;
    this.caption.textContent = `${region.name} · ${region.shape}${many}${unequal ? `, ${count(unequal)} differ` : ""}`;
    this.grid.draw();
  }
}
