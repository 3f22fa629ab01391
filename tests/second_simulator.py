"""A second simulator of the published set, written from docs/isa.md and docs/program-file.md alone: no line of anna is in it.

It reads a program's file, runs images on an ideal chip, and tells outputs, cycles and ages. Legality is taken for granted.
"""

import json
from fractions import Fraction
from math import ceil, prod
from pathlib import Path

import numpy as np
from safetensors import safe_open

CHIP = {1: "RFSH", 2: "SHIFT", 3: "STORE", 4: "CALC", 5: "OUT"}
BOARD = {1: "PAGE", 2: "WAIT", 3: "REPEAT", 4: "ENDREP", 5: "STOP"}


def bits_for(count):
    return max(1, (count - 1).bit_length())


class SecondSimulator:
    def __init__(self, path: Path) -> None:
        with safe_open(path, framework="numpy") as file:
            content = json.loads(file.metadata()["anna_program"])
            self.tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        self.spec, self.sequencer, self.batch = content["spec"], content["sequencer"], content["batch"]
        self.regions = content["regions"]
        self.ops = self.issued([self.decoded(word) for word in self.tensors["words"]])

    # --- words and loops
    def fields(self):
        """Of each instruction: fields at the pins, fields on the board, both as (name, bits)."""
        s = self.spec
        memory = 32 if s["memory_states"] is None else bits_for(s["memory_states"] + 1)
        pair = bits_for(s["rows"] * s["columns"] // s["dacs"])
        moving = [("address", memory), ("step", memory), ("outer_step", memory)]
        return {
            "RFSH": ([("pair", pair)], [("step", pair), ("outer_step", pair)]),
            "SHIFT": ([("count", bits_for(s["word_states"] + 1)), ("register", bits_for(s["registers"] + 1))], moving),
            "STORE": ([("registers", s["registers"]), ("latches", s["latches"])], []),
            "CALC": (
                [("fan_in", bits_for(len(s["fan_ins"]))), ("row", bits_for(s["rows"])),
                 ("neurons", bits_for(s["neurons_at_once"] + 1)), ("latch", bits_for(s["latches"]))], [],
            ),
            "OUT": ([("count", bits_for(s["neurons_at_once"] + 1))], moving),
            "PAGE": ([], [("page", bits_for(s["max_pages"]))]),
            "WAIT": ([], [("cycles", 24)]),
            "REPEAT": ([], [("count", 24)]),
            "ENDREP": ([], []),
            "STOP": ([], []),
        }  # fmt: skip

    def decoded(self, limbs):
        word, fields = sum(int(limb) << 64 * i for i, limb in enumerate(limbs)), self.fields()
        pins = max(37, 3 + max(sum(bits for _, bits in fields[name][0]) for name in CHIP.values()))
        name = CHIP[word & 7] if word & 7 else BOARD[word >> pins & 7]
        op = {"name": name}
        for at, part in ((3, fields[name][0]), (pins + 3, fields[name][1])):
            for field, bits in part:
                op[field] = word >> at & ((1 << bits) - 1)
                at += bits
        return op

    def issued(self, code):
        found, at = [], 0
        while at < len(code):
            if code[at]["name"] == "REPEAT":
                end, depth = at, 0
                while True:
                    depth += {"REPEAT": 1, "ENDREP": -1}.get(code[end]["name"], 0)
                    if depth == 0:
                        break
                    end += 1
                body = self.issued_inside(code[at + 1 : end], code[at]["count"])
                found += body
                at = end
            else:
                found.append(code[at])
            at += 1
        return found

    def issued_inside(self, body, turns):
        """Turns of a loop: its steps first, then those of the loop around it become its steps."""
        found = []
        for turn in range(turns):
            at = 0
            while at < len(body):
                op = body[at]
                if op["name"] == "REPEAT":
                    end = next(i for i in range(at, len(body)) if body[i]["name"] == "ENDREP")
                    for inner in range(op["count"]):
                        found += [moved(one, inner * one.get("step", 0) + turn * one.get("outer_step", 0))
                                  for one in body[at + 1 : end]]  # fmt: skip
                    at = end
                else:
                    found.append(moved(op, turn * op.get("step", 0)))
                at += 1
        return found

    # --- time
    def start_cycles(self):
        """The cycle of its segment in which each instruction starts, and the length of each segment."""
        s, q = self.spec, self.sequencer
        slow = q["instructions_per_s"] or q["bytes_per_s"]
        beside_shift_calc = {"SHIFT": {"CALC"}, "CALC": {"SHIFT"}}
        starts, lengths, ends, now, started, ready = [], [], {}, 0, 0, 0
        results = []  # of each CALC: its end, results left
        for op in self.ops:
            name = op["name"]
            if name in ("PAGE", "STOP"):
                if starts:
                    lengths.append(max([now, ready, *ends.values()]))
                ends, now, started, ready = {}, 0, 1, 0
                starts.append(0)
                continue
            if name == "WAIT":
                now, started = now + op["cycles"], 0
                starts.append(now)
                continue
            words = ceil(op["count"] / s["word_states"]) if name in ("SHIFT", "OUT") else 0
            lasts = {
                "RFSH": 1, "STORE": s["store_cycles"], "CALC": s["calc_cycles"],
                "SHIFT": words * ceil(s["word_states"] / s["states_in_per_cycle"]),
                "OUT": words * ceil(s["word_states"] / s["states_out_per_cycle"]),
            }[name]  # fmt: skip
            waits = {"SHIFT": {"SHIFT", "STORE"}, "STORE": {"SHIFT"}, "CALC": {"CALC", "STORE"}}.get(name, {name})
            others = set(CHIP.values())
            if q["overlap"] == "shift-calc":
                others -= beside_shift_calc.get(name, set())
            elif q["overlap"] == "all":
                others = set()
            start = max([now, ready, *(ends.get(other, 0) for other in waits | others)])
            if name == "CALC":
                start = max(start, ends.get("OUT", 0) - s["calc_cycles"])
            if name == "OUT":
                start = max(start, results[0][0])
            start += start == now and started >= s["issue_width"]
            started = started + 1 if start == now else 1
            now, ends[name] = start, start + lasts
            if name == "CALC":
                results.append([start + lasts, op["neurons"]])
            if name == "OUT":
                results[0][1] -= op["count"]
                if not results[0][1]:
                    results.pop(0)
            if slow:
                ready = start + max(self.instruction_cycles(), words * self.word_cycles())
            starts.append(start)
        return starts, lengths

    def instruction_cycles(self):
        rate = self.sequencer["instructions_per_s"]
        return ceil(Fraction(self.spec["clock_hz"]) / Fraction(rate)) if rate else 1

    def word_cycles(self):
        rate, bytes_per_word = self.sequencer["bytes_per_s"], self.sequencer["bytes_per_word"]
        return ceil(Fraction(self.spec["clock_hz"] * bytes_per_word) / Fraction(rate)) if rate else 1

    def segments(self):
        """Of each segment the numbers of its instructions."""
        found = []
        for index, op in enumerate(self.ops):
            if op["name"] == "PAGE":
                found.append([])
            found[-1].append(index)
        return found

    def used_rows(self, segment):
        rows = set()
        for index in segment:
            if self.ops[index]["name"] == "CALC":
                rows |= set(self.synapses(self.ops[index])[0].reshape(-1).tolist())
        return sorted(rows)

    def batch_cycles(self):
        lengths = self.start_cycles()[1]
        pairs = self.spec["columns"] // self.spec["dacs"]
        loads = sum(len(self.used_rows(segment)) * pairs * self.instruction_cycles() for segment in self.segments())
        return self.batch * sum(lengths) + loads

    def ages(self, slot):
        """Of each CALC the ages of its charges, (neurons, fan-in)."""
        starts, lengths = self.start_cycles()
        each, i, found = self.spec["columns"] // self.spec["dacs"], self.instruction_cycles(), []
        for segment, length in zip(self.segments(), lengths, strict=True):
            load = [row * each + k for row in self.used_rows(segment) for k in range(each)]
            written = {}
            for index in segment:
                if self.ops[index]["name"] == "RFSH":
                    written.setdefault(self.ops[index]["pair"], []).append(starts[index])
            for index in segment:
                if self.ops[index]["name"] != "CALC":
                    continue
                c, (rows, columns) = starts[index], self.synapses(self.ops[index])
                pairs = rows * each + columns // self.spec["dacs"]

                def age(pair, c=c, load=load, written=written, length=length):
                    before = [w for w in written.get(pair, []) if w < c]
                    if before:
                        return c - before[-1]
                    if slot and pair in written:
                        return c + length - written[pair][-1]
                    return c + slot * length + i * (len(load) - load.index(pair))

                found.append(np.vectorize(age)(pairs))
        return found

    # --- states
    def synapses(self, calc):
        """Row and column of each synapse, (neurons, fan-in)."""
        fan_in, columns = self.spec["fan_ins"][calc["fan_in"]], self.spec["columns"]
        q = np.arange(calc["neurons"])[:, None] * fan_in + np.arange(fan_in)
        return calc["row"] + q // columns, q % columns

    def thresholds(self, scale_code):
        s = self.spec
        b = s["state_bits"]
        full = s["adc_full_scale"] * 2.0 ** (s["weight_bits"] - 1) * 2.0 ** (s["state_bits"] - 1)
        for _ in range(scale_code):
            full *= s["scale_step"]
        lsb = full / 2**b * (2 << max(1, 16 - s["weight_bits"]))
        half = 0.5 if s["state_levels"] == "mid-tread" else 0.0
        return [round((j + 1 - 2 ** (b - 1) - half) * lsb) for j in range(2**b - 1)]

    def run(self, image):
        """Outputs by region."""
        s, memory = self.spec, {}
        for region in self.regions:
            if region["kind"] == "input":
                memory |= dict(zip(self.addresses(region), np.asarray(image).reshape(-1).tolist(), strict=True))
        memory |= dict(zip(self.tensors["constant_addresses"].tolist(), self.tensors["constant_codes"].tolist(), strict=True))
        f, results, page = max(1, 16 - s["weight_bits"]), [], 0
        weight_zero = 2 ** s["weight_bits"] - (s["weight_levels"] == "mid-rise")
        state_zero = 2 ** s["state_bits"] - (s["state_levels"] == "mid-rise")
        for op in self.ops:
            if op["name"] == "PAGE":
                page = op["page"]
                reset = [s["reset_state_code"]] * s["columns"]
                shifter, registers, latches = reset, [reset] * s["registers"], [reset] * s["latches"]
            elif op["name"] == "SHIFT":
                if op["register"] and s["shift_from"] != "shifter":
                    shifter = registers[op["register"] - 1]
                new = [memory[op["address"] + j] for j in range(op["count"])]
                shifter = [*shifter[op["count"] :], *new]
            elif op["name"] == "STORE":
                for k in range(s["registers"]):
                    registers[k] = shifter if op["registers"] >> k & 1 else registers[k]
                for k in range(s["latches"]):
                    latches[k] = shifter if op["latches"] >> k & 1 else latches[k]
            elif op["name"] == "CALC":
                rows, columns = self.synapses(op)
                m = max(1, s["fan_ins"][op["fan_in"]] // s["columns"])
                states = np.array(latches)[op["latch"] + (rows - op["row"]) % m, columns]
                weights = (2 * self.tensors["weight_codes"][page, rows, columns].astype(int) - weight_zero) << (f - 1)
                sums = (weights * (2 * states - state_zero)).sum(axis=1)
                groups = s["columns"] // s["fan_ins"][0] if s["fan_ins"][0] < s["columns"] else 1
                scales = self.tensors["scale_codes"][page, rows[:, 0], columns[:, 0] * groups // s["columns"]]
                results += [sum(t <= total for t in self.thresholds(int(scale)))
                            for total, scale in zip(sums.tolist(), scales, strict=True)]  # fmt: skip
            elif op["name"] == "OUT":
                for j in range(op["count"]):
                    memory[op["address"] + j] = results.pop(0)
        return {region["name"]: np.array([memory[a] for a in self.addresses(region)]).reshape(region["shape"])
                for region in self.regions if region["kind"] == "output"}  # fmt: skip

    def addresses(self, region):
        shape = region["shape"]
        strides = region["strides"] or [prod(shape[axis + 1 :]) for axis in range(len(shape))]
        places = np.indices(shape).reshape(len(shape), -1)
        return (region["address"] + (places * np.array(strides)[:, None]).sum(axis=0)).tolist()


def moved(op, by):
    """An instruction in a turn of its loops."""
    where = "pair" if op["name"] == "RFSH" else "address"
    return {**op, where: op[where] + by} if where in op else op
