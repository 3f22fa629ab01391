// What the page says: of an instruction, of a value, of a time.

const grouped = (number, digits) =>
  Math.abs(number).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

export const count = (number, digits = 0) => (number < 0 ? "−" : "") + grouped(number, digits);

export const plus = (number, digits = 0) => (number < 0 ? "−" : "+") + grouped(number, digits);

// Of each instruction, what it is doing; `what` names regions of the memory that it touches.
const MEANINGS = {
  PAGE: () => "The page's weights are written; shifter, registers and latches are reset.",
  SHIFT: (what, n) => `${n} state${n === 1 ? "" : "s"} of ${what} come${n === 1 ? "s" : ""} in at the right end of the shifter.`,
  STORE: () => "What lies in the shifter is copied to the registers and latches that are named.",
  CALC: (what, n, calc) =>
    `${calc.neurons} neurons of ${calc.fanIn} inputs: states times weights, summed on a wire each, and converted.`,
  OUT: (what, n) => `${n} result${n === 1 ? "" : "s"} leave${n === 1 ? "s" : ""} for ${what}.`,
  RFSH: () => "A pair of weights is written again, by one DAC each.",
  WAIT: () => "The sequencer waits.",
  STOP: () => "The image is done: the host takes over.",
  END: () => "The image is done: the host takes over.",
};

export function meaning(program, i) {
  const addresses = program.addresses(i), what = [...new Set(Array.from(addresses, (a) => program.home(a)))].join(" and ");
  const calc = program.name(i) === "CALC" ? program.calc(program.calcBefore(i + 1)) : null;
  return MEANINGS[program.name(i)]?.(what, addresses.length, calc) ?? "";
}
