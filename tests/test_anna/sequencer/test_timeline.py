"""How values are numbered, and what a number says of where a value comes from."""

from anna.sequencer.timeline import Values


def test_every_value_says_where_it_comes_from() -> None:
    values = Values(inputs=2, constants=2, neurons=2, host=2)
    assert [values.origin(number) for number in range(values.total(2))] == [
        "pixel 0", "pixel 1", "state 0 of the host", "state 1 of the host", "constant 0", "constant 1", "reset",
        "CALC 0 neuron 0", "CALC 0 neuron 1", "CALC 1 neuron 0", "CALC 1 neuron 1",
    ]  # fmt: skip
    assert values.origin(values.result(1, 0)) == "CALC 1 neuron 0"
