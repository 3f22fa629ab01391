"""The chip's published numbers: what it contains, and what its instructions give when a program counts them."""

from anna.chip import facts
from anna.chip.facts import D, F, Fact, P, R
from sim.published.row import Range, Row, beside, by, definition, exactly, fitted, prediction, unmodelled, within

NO_SILICON = "the model has no transistors and no layout"

ROWS: tuple[Row, ...] = (
    # --- contained in the model
    definition("synapses", "physical synapses", facts.SYNAPSES, by("chip", field="synapses")),
    definition("neurons-at-once", "dot products of a CALC", facts.NEURONS_AT_ONCE, by("chip", field="neurons_at_once")),
    definition("weight-bits", "bits of a weight", facts.WEIGHT_BITS, by("chip", field="weight_bits")),
    definition("state-bits", "bits of a state, in and out", facts.STATE_BITS, by("chip", field="state_bits")),
    definition("scale-bits", "bits of a neuron's scaling factor", facts.SCALE_BITS, by("chip", field="scale_bits")),
    definition("dacs", "DACs that refresh the weights", facts.DACS, by("chip", field="dacs")),
    definition("register-states", "states of a register", facts.COLUMNS, by("chip", field="columns")),
    definition("states-of-a-shift", "states that a SHIFT loads at most", facts.STATES_PER_WORD,
               by("chip", field="word_states")),
    definition("weights-of-a-word", "weights that an RFSH writes", facts.WEIGHTS_PER_WORD, by("chip", field="dacs")),
    definition("state-pins", "pins of the state input, and of the output", facts.STATE_PINS, by("state_pins")),
    definition("weight-pins", "pins of the weight input", facts.WEIGHT_PINS, by("weight_pins")),
    definition("clock", "clock", facts.CLOCK_HZ, by("chip", field="clock_hz")),
    definition("calc-time", "time of a CALC", Fact(200.0, "ns", R, "1"), by("calc_ns")),
    definition("max-inputs", "inputs of the largest neuron", facts.MAX_INPUTS, by("chip", field="max_inputs")),
    definition(
        "multiply-adds-at-once", "multiply-adds of a full CALC", facts.MULTIPLY_ADDS_AT_ONCE, by("multiply_adds_at_once")
    ),
    Row(
        "over-2000-at-once", "multiply-adds of a full CALC, as the abstract says it", facts.PUBLISHED_MULTIPLY_ADDS_AT_ONCE,
        "definition", by("multiply_adds_at_once"), Range(2000, 2100, "'over 2000', in a word that would not be used of 2,100"),
    ),
    definition("neurons-of-16", "neurons of 16 inputs at most", Fact(256, "neurons", R, "1"), by("neurons_of", inputs=16)),
    definition("neurons-of-64", "neurons of 64 inputs at most", Fact(64, "neurons", R, "1"), by("neurons_of", inputs=64)),
    definition("neurons-of-128", "neurons of 128 inputs at most", Fact(32, "neurons", R, "1"), by("neurons_of", inputs=128)),
    definition("neurons-of-256", "neurons of 256 inputs at most", Fact(16, "neurons", R, "1"), by("neurons_of", inputs=256)),
    # --- fitted
    fitted(
        "pin-rate", "rate of the state input, and of the output", facts.PIN_RATE_BITS_PER_S, by("pin_bits_per_s"),
        exactly(120e6), "states_in_per_cycle and states_out_per_cycle were derived from it",
    ),
    fitted(
        "refresh-with-overhead", "refresh of all weights, as a period of the wide chip's free-running refresh",
        Fact(facts.REFRESH_US.value, "us", F, "refresh_overhead_cycles was chosen to make 110 us"), by("refresh_period_us"),
        exactly(110.0), "refresh_overhead_cycles was chosen to make 110 us",
    ),
    # --- counted on programs
    prediction(
        "peak", "connections per second of CALCs back to back, from a program's cycles", facts.PEAK_CONNECTIONS_PER_S,
        by("peak_connections_per_s", overlap="all"),
        within(10e9, 0.05, "the literature rounds it to 10 G; a CALC that waited a cycle for anything would miss by a fifth"),
    ),
    beside(
        "peak-by-default", "the same on the default sequencer, where only SHIFT runs beside CALC",
        facts.PEAK_CONNECTIONS_PER_S, by("peak_connections_per_s", overlap="shift-calc"),
        "no range was stated: a peak counts CALCs alone, and here the results leave before the next one",
    ),
    prediction(
        "output-rate", "rate at which the results of CALCs back to back leave, if OUT may run beside CALC",
        Fact(120e6, "bit/s", R, "8 neurons x 3 bits in 200 ns"), by("output_bits_per_s", overlap="all"),
        within(120e6, 0.01, "the array never waits for the pins: eight results leave in the time of a CALC"),
    ),
    prediction(
        "refresh", "one RFSH after the other, for every pair of weights", facts.REFRESH_US, by("refresh_us"),
        within(110.0, 0.1, "'about 110 us'; 2,048 writes of 50 ns take 102.4 us and what else took time is not known"),
    ),
    prediction(
        "refresh-at-5-mips", "the same at the instruction rate of the 1991 board",
        Fact(410.0, "us", D, "2,048 RFSH at 5 M instructions/s"), by("refresh_us", machine="board-1991"),
        within(410.0, 0.02, "arithmetic, to the digits shown"),
    ),
    prediction(
        "assembler-example", "states that the assembler example of paper 3 leaves in latch L2",
        Fact(64, "states", P, "3: REPEAT 16; SHIFT 4,R0; STORE R0,A.L2; ENDREP; STOP"), by("example_states"),
        exactly(64, "sixteen times four, and a register holds 64: the example fills it"),
    ),
    prediction(
        "instruction-pins", "bits of the longest instruction at the pins of the micro-instruction", facts.INSTRUCTION_PINS,
        by("instruction_bits"),
        Range(30, 37, "all of the model's fields must fit, and no more than a field or two may be idle"),
    ),
    # --- not in the model
    unmodelled("transistors", "transistors", facts.TRANSISTORS, NO_SILICON),
    unmodelled("die-size", "size of the die", facts.DIE_MM, NO_SILICON),
    unmodelled("technology", "width of the technology", facts.TECHNOLOGY_UM, NO_SILICON),
)  # fmt: skip
