"""Why a prediction misses: which assumption fails. Written after the run; every miss is here, and nothing else."""

ONE_AT_A_TIME = (
    "one instruction enters in a cycle and in order (A: issue_width), so that an OUT starts a cycle after the CALC beside it: "
    "five cycles a CALC instead of four; with two in a cycle it is met"
)
BETTER_TRAINED = "today's recipe (Adam, more passes) trains these networks better than then; the chip has no part in it"

REASONS: dict[str, str] = {
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
