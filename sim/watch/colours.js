// The colours of the theme as numbers, and what they stand for.

const NAMES = ["paper", "soft", "faint", "ink", "low", "high", "negative", "positive", "lit", "differs", "old"];
export const colour = {};

export function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of NAMES) {
    const [r, g, b] = style.getPropertyValue(`--${name}`).match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16));
    colour[name] = [r, g, b];
  }
}

export const css = (name, alpha = 1) => `rgb(${colour[name].join(" ")} / ${alpha})`;

export const between = (from, to, share) => from.map((part, k) => Math.round(part + (to[k] - part) * Math.min(1, Math.max(0, share))));

// A state from the lowest to the highest; what was never written has no colour of its own.
export const ofState = (code, levels) => (code < 0 ? colour.soft : between(colour.low, colour.high, code / (levels - 1)));

// A signed number from -1 to 1: blue below, orange above.
export const signed = (share) => between(colour.soft, share < 0 ? colour.negative : colour.positive, Math.abs(share));
