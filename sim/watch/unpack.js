// Unpacks what anna/trace/watched.py packed: deflated numbers and text.

const KINDS = { i1: Int8Array, i2: Int16Array, i4: Int32Array, f8: Float64Array };

async function inflated(text) {
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

export const numbers = async ({ type, data }) => new KINDS[type](await inflated(data));

export const lines = async (data) => new TextDecoder().decode(await inflated(data)).split("\n");

// Running sums of differences.
export function summed(steps, Kind = Int32Array) {
  const found = new Kind(steps.length);
  let sum = 0;
  for (let k = 0; k < steps.length; k++) found[k] = sum += steps[k];
  return found;
}

// Where each of several runs begins, and where the last one ends.
export function begins(lengths) {
  const found = new Int32Array(lengths.length + 1);
  for (let k = 0; k < lengths.length; k++) found[k + 1] = found[k] + lengths[k];
  return found;
}

// Every array of an object, unpacked.
export async function unpacked(raw) {
  const isPacked = (value) => value !== null && typeof value === "object" && "data" in value;
  const pairs = Object.entries(raw).map(async ([key, value]) => [key, isPacked(value) ? await numbers(value) : value]);
  return Object.fromEntries(await Promise.all(pairs));
}

// How many entries of a rising array are at most x.
export function upTo(rising, x) {
  let low = 0, high = rising.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rising[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
