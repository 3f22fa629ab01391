"""Why a prediction misses: which assumption fails. Written after the run; every miss is here, and nothing else."""

ONE_AT_A_TIME = (
    "one instruction enters in a cycle and in order (A: issue_width), so that an OUT starts a cycle after the CALC beside it: "
    "five cycles a CALC instead of four; with two in a cycle it is met"
)
DSP_ON_A_SEGMENTER = (
    "the last layer stays in float on the DSP (A, as for a single character): at 186 places it takes 45 of 78 ms; what the "
    "chip itself does runs at 44 M/s"
)
SLOW_MEMORY = (
    "the board's memory keeps up with the pins (A: bytes_per_s); at 5 MByte/s for each chip, as in 1991, this number and the "
    "board's other one both come out (-slow-memory)"
)
BETTER_TRAINED = "today's recipe (Adam, more passes) trains these networks better than then; the chip has no part in it"

REASONS: dict[str, str] = {
    "recognizer-all-by-hand": "the count has every unit go on its own way; here one instruction enters in a cycle (A: "
    "issue_width); with two in a cycle it is met (recognizer-two-at-once)",
    "convolver-speed-up": "the published ends do not go together, 400 M/s over 3 M/s being 133: on a dense convolution the DSP "
    "alone is nearer its peak of 12.5 M/s, against which this is 29 times",
    "segmenter-board-1991": DSP_ON_A_SEGMENTER,
    "segmenter-speed-up": DSP_ON_A_SEGMENTER,
    "recognizer-board-1996": SLOW_MEMORY,
    "convolver-board-1996": SLOW_MEMORY,
    "error-ratio": "the digits here are easier: floats misread 1.2 % of them, not 4.9 %, while the chip costs as many points "
    "(error-cost)",
    "peak": ONE_AT_A_TIME,
    "output-rate": ONE_AT_A_TIME,
    "instruction-pins": "one instruction needs 17 of the 37 bits (A: the encoding, one instruction a word); the others would "
    "hold more of them, which may be what 'executed in parallel' means",
    "lenet4-parameters": "120 units on 400 inputs alone have 48,120 (R: the shape): no shape with such a layer has both counts",
    "lenet1-28-error": BETTER_TRAINED,
    "boosted-lenet4-error": BETTER_TRAINED,
    "lenet5-distorted-error": BETTER_TRAINED,
    "linear-error": BETTER_TRAINED,
    "mlp300-error": BETTER_TRAINED,
    "mlp1000-error": BETTER_TRAINED,
}
