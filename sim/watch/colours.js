// The colours of the theme as numbers, and what they stand for.

const NAMES = ["paper", "soft", "faint", "ink", "low", "high", "negative", "positive", "lit", "differs", "old"];
const SHADES = 32; // of a signed number, on either side of zero
export const colour = {};
let states = {}, shades = [];

export function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of NAMES) {
    const [r, g, b] = style.getPropertyValue(`--${name}`).match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
    colour[name] = [r, g, b];
  }
  states = {};
  shades = Array.from({ length: 2 * SHADES + 1 }, (_, k) => shade(k / SHADES - 1));
}

export const css = (name, alpha = 1) => `rgb(${colour[name].join(" ")} / ${alpha})`;

export const between = (from, to, share) => from.map((part, k) => Math.round(part + (to[k] - part) * Math.min(1, Math.max(0, share))));

// A state from the lowest to the highest; what was never written has no colour of its own.
export function ofState(code, levels) {
  states[levels] ??= Array.from({ length: levels }, (_, k) => between(colour.low, colour.high, k / (levels - 1)));
  return code < 0 ? colour.soft : states[levels][code];
}

const shade = (share) => between(colour.soft, share < 0 ? colour.negative : colour.positive, Math.abs(share));

// A signed number from -1 to 1: blue below, orange above.
export const signed = (share) => shades[Math.round((Math.min(1, Math.max(-1, share)) + 1) * SHADES)];
