// What the host makes of a chip's outputs at the end, and what it makes of the other chip's.

import { count } from "./words.js";

const BEST = 3;

export class Answer {
  constructor(chip, view) {
    Object.assign(this, { chip, view });
    this.element = document.createElement("p");
    this.element.className = "answer";
  }

  draw() {
    const [scores] = Object.values(this.chip.results);
    if (!scores) this.element.textContent = "";
    else if (this.view.at < this.view.program.count) this.element.textContent = "The host waits for the outputs.";
    else {
      const order = scores.map((_, k) => k).sort((a, b) => scores[b] - scores[a] || a - b);
      const text = order.slice(0, BEST).map((k) => `${k}: ${count(scores[k], 2)}`).join(", ");
      this.element.innerHTML = `The host reads <strong>${order[0]}</strong> <small>(scores ${text})</small>`;
    }
  }
}
