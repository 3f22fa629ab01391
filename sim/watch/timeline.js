// The image's time by layer, page and unit: all of it in one line, and a close-up about now.

import { css } from "./colours.js";
import { upTo } from "./unpack.js";

const PIXELS = 5; // of a cycle in the close-up
const LINE = 17, LABEL = 62, FONT = "11px system-ui, sans-serif";

export class Timeline {
  constructor(view, seek) {
    Object.assign(this, { view, program: view.program });
    this.overall = this.canvas("The whole image by layer and page", 2 * LINE, (x, width) => seek(x / width * this.program.cycles));
    this.close = this.canvas("A close-up about now by layer, page and unit", (this.program.units.length + 1) * LINE,
      (x) => seek(this.from + (x - LABEL) / PIXELS));
  }

  canvas(label, height, seek) {
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", label);
    canvas.style.height = `${height}px`;
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      if (event.buttons & 1) seek(Math.max(0, event.clientX - box.left), box.width);
    };
    canvas.addEventListener("pointerdown", at);
    canvas.addEventListener("pointermove", at);
    return canvas;
  }

  fit() {
    for (const canvas of [this.overall, this.close]) {
      canvas.width = canvas.clientWidth * devicePixelRatio;
      canvas.height = canvas.clientHeight * devicePixelRatio;
    }
  }

  pen(canvas) {
    const width = canvas.width / devicePixelRatio, height = canvas.height / devicePixelRatio, pen = canvas.getContext("2d");
    pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = FONT;
    pen.textBaseline = "middle";
    return { pen, width, height };
  }

  bar(pen, x, width, line, style, name = "") {
    const y = line * LINE + 2, high = LINE - 4, seen = Math.max(x, this.left);
    pen.fillStyle = style;
    pen.fillRect(x, y, Math.max(0.6, width), high);
    if (name && seen + pen.measureText(name).width + 6 < x + width) {
      pen.fillStyle = css("ink");
      pen.fillText(name, seen + 4, y + high / 2 + 1);
    }
  }

  draw() {
    this.drawOverall();
    this.drawClose();
  }

  // Layers in turn by two shades, loads of pages dark, pages by two shades.
  bands(pen, x, scale) {
    const { layers, segments } = this.program;
    layers.forEach(([name, start, cycles], k) => this.bar(pen, x(start), cycles * scale - 1, 0, css("old", k % 2 ? 0.3 : 0.5), name));
    segments.forEach(({ page, load, loadCycles, start, cycles }) => {
      if (loadCycles) this.bar(pen, x(load), loadCycles * scale, 1, css("differs", 0.45), `load page ${page}`);
      this.bar(pen, x(start), cycles * scale - 0.5, 1, css("negative", 0.35), `page ${page}`);
    });
  }

  drawOverall() {
    const { pen, width, height } = this.pen(this.overall), scale = width / this.program.cycles;
    this.left = 0;
    this.bands(pen, (cycle) => cycle * scale, scale);
    pen.fillStyle = css("ink");
    pen.fillRect(this.view.now * scale - 1, 0, 2, height);
  }

  drawClose() {
    const { pen, width, height } = this.pen(this.close), { program, view } = this, { units } = program;
    const cycles = (width - LABEL) / PIXELS;
    this.from = view.now - 0.4 * cycles;
    this.left = LABEL;
    const x = (cycle) => LABEL + (cycle - this.from) * PIXELS;
    pen.save();
    pen.beginPath();
    pen.rect(LABEL, 0, width - LABEL, height);
    pen.clip();
    this.bands(pen, x, PIXELS);
    const last = upTo(program.start, this.from + cycles);
    for (let i = Math.max(0, upTo(program.start, this.from) - 8); i < last; i++) {
      const line = program.unit(i);
      if (line === 0 || !program.length(i)) continue;
      const style = i === view.at - 1 ? css("lit") : css("positive", i < view.at ? 0.35 : 0.6);
      this.bar(pen, x(program.start[i]), program.length(i) * PIXELS - 1, 1 + line, style, program.name(i));
    }
    pen.fillStyle = css("ink");
    pen.fillRect(x(view.now) - 0.5, 0, 1.5, height);
    pen.restore();
    pen.fillStyle = css("ink", 0.75);
    ["layer", "page", ...units.slice(1)].forEach((name, line) => pen.fillText(name, 2, line * LINE + LINE / 2 + 1));
  }
}
