// What is the same on every chip: instructions with their times, CALCs with their synapses, pages, regions of the memory.

import { begins, lines, summed, unpacked, upTo } from "./unpack.js";

export async function readProgram(raw) {
  const { chip } = raw;
  const [calcs, instructions, text, whole] = await Promise.all([
    unpacked(raw.calcs), unpacked(raw.instructions), lines(raw.instructions.text), unpacked(raw),
  ]);
  const refresh = raw.refresh && (await unpacked(raw.refresh));
  const { index, page, fanIn, row, neurons } = calcs;
  const operands = begins(Array.from(neurons, (count, k) => count * fanIn[k]));
  const sums = begins(neurons), latches = begins(calcs.rows), touched = begins(instructions.touched);
  const start = summed(instructions.start, Float64Array), addresses = summed(instructions.addresses);
  const cells = chip.rows * chip.columns;
  const block = Object.fromEntries(raw.blocks.map(([name, first, size]) => [name, { name, first, size }]));

  return {
    ...raw, chip, refresh, start, text, block,
    count: start.length,
    calcCount: index.length,
    cycles: raw.cycles,
    names: raw.regions.map((region) => region.name),

    name: (i) => instructions.names[instructions.name[i]],
    unit: (i) => instructions.unit[i],
    units: instructions.units,
    length: (i) => instructions.cycles[i],
    stall: (i) => instructions.stall[i],
    segmentOf: (i) => raw.segments[instructions.segment[i]],
    layer: (i) => instructions.layers[instructions.layer[i]] ?? "",
    layerAt: (cycle) => raw.layers[upTo(raw.layers.map(([, begins]) => begins), cycle) - 1]?.[0] ?? "",
    addresses: (i) => addresses.subarray(touched[i], touched[i + 1]),

    // Results that an OUT takes: of which CALC, from which neuron on, how many.
    taken(i) {
      const result = instructions.result[i];
      if (result < 0) return null;
      return { calc: Math.floor(result / chip.neurons), neuron: result % chip.neurons, count: instructions.touched[i] };
    },

    // How many instructions have begun at a time, and the segment that it lies in.
    issued: (cycle) => upTo(start, cycle),
    segmentAt: (cycle) => raw.segments[Math.max(0, upTo(raw.segments.map((one) => one.load), cycle) - 1)],

    // The CALC that began last when so many instructions have begun; -1: none.
    calcBefore: (at) => upTo(index, at - 1) - 1,
    calc(k) {
      return {
        ordinal: k, index: index[k], page: page[k], cycle: calcs.cycle[k], fanIn: fanIn[k], row: row[k], neurons: neurons[k],
        operand: operands[k], sum: sums[k], rows: calcs.rows[k],
        latches: calcs.latches.subarray(latches[k], latches[k + 1]),
        origins: calcs.origins.subarray(operands[k], operands[k + 1]),
      };
    },

    weightCode: (page, place) => whole.pages[page * cells + place],
    place: (page, place) => page * cells + place,
    scaleCode(calc, neuron) {
      const place = neuron * calc.fanIn, line = calc.row + Math.floor(place / chip.columns);
      const group = Math.floor(((place % chip.columns) * chip.groups) / chip.columns);
      return whole.scales[(calc.page * chip.rows + line) * chip.groups + group];
    },
    weightLevel: (code) => code - (chip.weightLevels === "mid-tread" ? 2 ** (chip.weightBits - 1) : (2 ** chip.weightBits - 1) / 2),
    pageCount: whole.pages.length / cells,
  };
}
