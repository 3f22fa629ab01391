// A field of small squares: drawn as one picture, each square told under the pointer, the finger or the keyboard's cursor.

import { css } from "./colours.js";

const FRAMED = 8; // pixels of a square that is large enough for a frame

export class Grid {
  // `paint(row, column)` gives a colour or null, `tell(row, column)` a sentence or null, `marks()` squares to frame.
  constructor({ label, rows, columns, paint, tell, marks = () => [] }, told) {
    Object.assign(this, { rows, columns, paint, tell, marks, told, cursor: null });
    this.canvas = document.createElement("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", `${label}; arrow keys move over its values`);
    this.small = document.createElement("canvas");
    this.listen();
  }

  listen() {
    const { canvas } = this;
    const point = (event) => {
      const box = canvas.getBoundingClientRect();
      const row = Math.floor(((event.clientY - box.top) / box.height) * this.rows);
      const column = Math.floor(((event.clientX - box.left) / box.width) * this.columns);
      this.move(row, column);
    };
    canvas.addEventListener("pointermove", point);
    canvas.addEventListener("pointerdown", point);
    canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.leave());
    canvas.addEventListener("blur", () => this.leave());
    canvas.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!step || event.shiftKey) return;
      event.preventDefault();
      event.stopPropagation();
      const [row, column] = this.cursor ?? [0, step[1] ? -1 : 0];
      this.move(row + step[0], column + step[1]);
    });
  }

  move(row, column) {
    this.cursor = [Math.min(this.rows - 1, Math.max(0, row)), Math.min(this.columns - 1, Math.max(0, column))];
    this.told.by(this);
    this.draw();
  }

  leave() {
    this.cursor = null;
    this.told.by(null);
    this.draw();
  }

  sentence() {
    return this.cursor && this.tell(...this.cursor);
  }

  // Takes on the size that the page gives it.
  fit() {
    const { canvas, small, rows, columns } = this;
    canvas.width = Math.round(canvas.clientWidth * devicePixelRatio);
    canvas.height = Math.round(canvas.clientHeight * devicePixelRatio);
    small.width = columns;
    small.height = rows;
  }

  draw() {
    const { canvas, small, rows, columns } = this;
    if (!canvas.width || !canvas.height) return;
    const pen = canvas.getContext("2d"), picture = new ImageData(columns, rows);
    for (let row = 0, k = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++, k += 4) {
        const found = this.paint(row, column);
        if (!found) continue;
        [picture.data[k], picture.data[k + 1], picture.data[k + 2]] = found;
        picture.data[k + 3] = 255;
      }
    }
    small.getContext("2d").putImageData(picture, 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(small, 0, 0, canvas.width, canvas.height);
    for (const [row, column, name] of this.marks()) this.mark(pen, row, column, css(name));
    if (this.cursor) this.frame(pen, ...this.cursor, css("ink"), 2);
  }

  // A frame, or on small squares a dot that leaves their colour to be seen.
  mark(pen, row, column, style) {
    const wide = this.canvas.width / this.columns, high = this.canvas.height / this.rows, side = Math.min(wide, high);
    if (side >= FRAMED * devicePixelRatio) return this.frame(pen, row, column, style, 1.5);
    pen.fillStyle = style;
    const dot = Math.max(1, 0.45 * side);
    pen.fillRect((column + 0.5) * wide - dot / 2, (row + 0.5) * high - dot / 2, dot, dot);
  }

  frame(pen, row, column, style, weight) {
    const wide = this.canvas.width / this.columns, high = this.canvas.height / this.rows, thick = weight * devicePixelRatio;
    pen.strokeStyle = style;
    pen.lineWidth = thick;
    pen.strokeRect(column * wide + thick / 2, row * high + thick / 2, Math.max(1, wide - thick), Math.max(1, high - thick));
  }
}
