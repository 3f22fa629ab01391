// The eight sums of the CALC at work: products on a wire, what wire and noise add, the thresholds, and the code that leaves.

import { count, plus } from "./words.js";

const HEAD = ["neuron", "", "products", "wire, noise", "code"];
const BESIDE = 0.25; // of the range of thresholds, shown on either side

export class Sums {
  constructor(chip, view) {
    Object.assign(this, { chip, view });
    this.table = document.createElement("table");
    this.table.className = "sums";
    this.table.innerHTML = `<thead><tr>${HEAD.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead><tbody></tbody>`;
    const neurons = view.program.chip.neurons, body = this.table.tBodies[0];
    this.rows = Array.from({ length: neurons }, (_, n) => {
      const row = body.insertRow();
      row.innerHTML = `<th scope="row">${n}</th><td class="scale"><div>${'<i></i>'.repeat(chip.levels - 1)}<b></b><u></u></div></td><td></td><td></td><td class="code"></td>`;
      row.tabIndex = 0;
      const teller = { sentence: () => this.tell(n) };
      for (const name of ["pointerenter", "focus"]) row.addEventListener(name, () => view.told.by(teller));
      for (const name of ["pointerleave", "blur"]) row.addEventListener(name, () => view.told.by(null));
      const [, scale, products, added, code] = row.cells;
      return { row, scale, products, added, code, ticks: scale.querySelectorAll("i"), sum: scale.querySelector("b"), seen: scale.querySelector("u") };
    });
  }

  get element() {
    return this.table;
  }

  // In weight LSB x state LSB.
  lsb(units) {
    return units / this.chip.units;
  }

  tell(n) {
    const { view } = this, { calc } = view;
    if (!calc || n >= calc.neurons) return "";
    return view.compared(`CALC ${calc.ordinal}, neuron ${n}, scale code ${view.program.scaleCode(calc, n)}`, (chip) => {
      const { products, seen, thresholds, code } = chip.neuron(calc, n);
      return `products ${count(products)} ${plus(seen - products)} = ${count(seen)} units; thresholds ${Array.from(thresholds, (one) => count(one)).join(" ")}; ${view.state(chip, code)}`;
    });
  }

  draw() {
    const { view, chip } = this, { calc, taken } = view;
    this.rows.forEach((part, n) => {
      const empty = !calc || n >= calc.neurons;
      part.row.classList.toggle("empty", empty);
      if (empty) {
        for (const cell of [part.products, part.added, part.code]) cell.textContent = "";
        return;
      }
      const { products, seen, thresholds, code } = chip.neuron(calc, n);
      const low = thresholds[0], high = thresholds[thresholds.length - 1], beside = BESIDE * (high - low || 1);
      const place = (sum) => `${Math.min(100, Math.max(0, (100 * (sum - low + beside)) / (high - low + 2 * beside)))}%`;
      part.ticks.forEach((tick, k) => (tick.style.left = place(thresholds[k])));
      part.sum.style.left = place(products);
      part.seen.style.left = place(seen);
      part.products.textContent = count(this.lsb(products), 1);
      part.added.textContent = seen === products ? "0" : plus(this.lsb(seen - products), 2);
      part.code.textContent = code;
      part.row.classList.toggle("taken", taken.has(n));
      part.row.classList.toggle("differs", view.differs(chip) && view.unequal((one) => one.neuron(calc, n).code));
    });
  }
}
