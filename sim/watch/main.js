// The page: reads the data, builds what is shown, and obeys buttons, keys and the address.

import { Answer } from "./answer.js";
import { SynapseArray } from "./array.js";
import { Chip } from "./chip.js";
import { readColours } from "./colours.js";
import { readProgram } from "./program.js";
import { homes, Maps, Region } from "./regions.js";
import { Rows } from "./rows.js";
import { Sums } from "./sums.js";
import { Timeline } from "./timeline.js";
import { View } from "./view.js";
import { count, meaning } from "./words.js";

const FRAME_MS = 16;
const LISTED = 3; // instructions on either side of the one at work
const byId = (id) => document.getElementById(id);

// What is told of the value under the pointer or cursor.
const told = {
  teller: null,
  by(teller) {
    this.teller = teller;
    this.tell();
  },
  tell() {
    byId("told").textContent = this.teller?.sentence() || "Point at, tap or move to a value to read it.";
  },
};

class Page {
  constructor(program, chips, facts) {
    this.program = program;
    const regions = program.regions.map((region) => new Region(region));
    this.view = new View(program, chips, homes(regions), told);
    this.timeline = new Timeline(this.view, (cycle) => this.pause() || this.show(() => this.view.seek(cycle)));
    byId("timeline").append(this.timeline.overall, this.timeline.close);
    byId("facts").textContent = facts;
    this.parts = [this.timeline];
    for (const chip of chips) this.build(chip, regions);
    document.body.classList.toggle("alone", chips.length < 2);
    this.playing = false;
    this.listen();
    this.fit();
    this.followAddress();
  }

  build(chip, regions) {
    const section = byId("chip").content.firstElementChild.cloneNode(true), add = (slot, part) => {
      section.querySelector(`[data-slot=${slot}]`).append(part.element ?? part.figure);
      this.parts.push(part);
      return part;
    };
    section.querySelector("h2").textContent = chip.title;
    section.setAttribute("aria-label", chip.title);
    const input = regions.filter((region) => region.kind === "input"), others = regions.filter((region) => region.kind !== "input");
    for (const region of input) add("input", new Maps(region, chip, this.view));
    add("rows", new Rows(chip, this.view));
    add("array", new SynapseArray(chip, this.view));
    add("sums", new Sums(chip, this.view));
    for (const region of others) add("maps", new Maps(region, chip, this.view));
    add("answer", new Answer(chip, this.view));
    byId("chips").append(section);
  }

  // Changes what is shown and draws it.
  show(change) {
    change?.();
    const { view, program } = this, i = view.at - 1;
    byId("now").textContent = `cycle ${count(view.now)} of ${count(program.cycles)} · ` +
      `${count(view.now * program.chip.cycleNs / 1e3, 1)} µs · page ${view.page}${view.layer ? ` · layer ${view.layer}` : ""}` +
      `${view.calc ? ` · CALC ${view.calc.ordinal}` : ""}`;
    byId("does").textContent = view.loading
      ? `Page ${view.page} is loaded, ${count(100 * view.loading.share)} % done` +
        `${program.batch > 1 ? `: this image's share of a load for ${program.batch}` : ""}.`
      : i >= 0 ? meaning(program, i) : "The first page is about to be loaded.";
    this.list();
    byId("position").value = view.at;
    byId("position").setAttribute("aria-valuetext", i >= 0 ? `instruction ${i}: ${program.text[i]}` : "before the first instruction");
    if (document.activeElement !== byId("jump")) byId("jump").value = view.calc?.ordinal ?? "";
    for (const part of this.parts) part.draw();
    told.tell();
  }

  list() {
    const { program, view } = this, box = byId("listing"), i = view.at - 1;
    const lines = [];
    for (let k = i - LISTED; k <= i + LISTED; k++) {
      const line = document.createElement("li");
      const stall = k === i && program.stall(k) ? `  waited ${program.stall(k)} cycles` : "";
      line.textContent = program.text[k] === undefined ? " " : `${k}  ${program.text[k]}${stall}`;
      if (k === i) line.setAttribute("aria-current", "step");
      lines.push(line);
    }
    box.replaceChildren(...lines);
  }

  // Everything in the width that there is.
  fit() {
    for (const part of this.parts) part.fit?.();
    this.show();
  }

  // --- play ---
  play() {
    if (this.view.now >= this.program.cycles) this.view.seek(0);
    this.playing = true;
    byId("play").textContent = "❚❚ Pause";
    let before = performance.now();
    const frame = () => {
      if (!this.playing) return;
      const time = performance.now(), passed = (time - before) / 1e3;
      before = time;
      this.show(() => this.view.seek(this.view.now + passed * this.speed()));
      if (this.view.now >= this.program.cycles) this.pause();
      else setTimeout(frame, FRAME_MS);
    };
    setTimeout(frame, FRAME_MS);
  }

  pause() {
    this.playing = false;
    byId("play").textContent = "▶ Play";
    history.replaceState(null, "", `#instruction=${this.view.at - 1}`);
  }

  speed() {
    return Math.round(2 * 10 ** (byId("speed").value / 25)); // cycles a second, 2 to 20,000
  }

  step(by) {
    this.pause();
    this.show(() => this.view.after(this.view.at + by));
    this.pause();
  }

  calc(ordinal) {
    const within = Math.min(this.program.calcCount - 1, Math.max(0, ordinal));
    if (this.program.calcCount) this.step(this.program.calc(within).index + 1 - this.view.at);
  }

  nextCalc(by) {
    const last = this.program.calcBefore(this.view.at), at = last >= 0 && this.program.calc(last).index + 1 === this.view.at;
    this.calc(by > 0 ? last + 1 : at ? last - 1 : last);
  }

  // #instruction=N or #calc=N
  followAddress() {
    const [, what, number] = location.hash.match(/^#(calc|instruction)=(-?\d+)$/) ?? [];
    if (what === "calc") this.calc(Number(number));
    else if (what) this.step(Number(number) + 1 - this.view.at);
  }

  listen() {
    const { program } = this, does = {
      play: () => (this.playing ? this.pause() : this.play()),
      step: () => this.step(1), back: () => this.step(-1),
      next: () => this.nextCalc(1), previous: () => this.nextCalc(-1),
      first: () => this.step(-program.count), last: () => { this.pause(); this.show(() => this.view.seek(program.cycles)); },
    };
    for (const [id, action] of Object.entries(does)) byId(id).addEventListener("click", action);
    const keys = { " ": "play", ArrowRight: "step", ArrowLeft: "back", Home: "first", End: "last", n: "next", p: "previous" };
    document.addEventListener("keydown", (event) => {
      const typing = event.target.matches("input, select, button") && !(event.target.id === "play" && event.key !== " ");
      const id = event.shiftKey ? { ArrowRight: "next", ArrowLeft: "previous" }[event.key] : keys[event.key];
      if (typing || !id || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      does[id]();
    });
    byId("position").max = program.count;
    byId("position").addEventListener("input", () => this.step(Number(byId("position").value) - this.view.at));
    byId("jump").max = program.calcCount - 1;
    byId("jump").addEventListener("change", () => byId("jump").value !== "" && this.calc(Number(byId("jump").value)));
    const tellSpeed = () => (byId("speeds").textContent = `${count(this.speed())} cycles/s`);
    byId("speed").addEventListener("input", tellSpeed);
    tellSpeed();
    byId("shown").addEventListener("change", () => this.show(() => (this.view.shown = byId("shown").value)));
    byId("side").addEventListener("change", () => {
      document.body.dataset.side = byId("side").value;
      this.fit();
    });
    byId("theme").addEventListener("click", () => {
      const dark = document.documentElement.dataset.theme
        ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      document.documentElement.dataset.theme = dark ? "light" : "dark";
      readColours();
      this.show();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); this.show(); });
    window.addEventListener("resize", () => this.fit());
    window.addEventListener("hashchange", () => this.followAddress());
  }
}

async function start() {
  readColours();
  const raw = JSON.parse(byId("data").textContent);
  const program = await readProgram(raw.program);
  const chips = await Promise.all(raw.chips.map((chip) => Chip.read(program, chip)));
  for (const chip of byId("side").options) if (chip.value !== "both") chip.textContent = chips[chip.index - 1]?.title ?? "";
  new Page(program, chips, raw.facts);
  document.body.classList.add("ready");
}

start().catch((error) => {
  byId("does").textContent = `This page cannot be shown: ${error.message}. It needs a browser of 2023 or later.`;
  throw error;
});
