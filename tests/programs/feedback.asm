; A recurrent network: one neuron reads its own previous output and the next state of the image, four times.
.program name=feedback
.chip name=anna-wide
.input name=sequence address=0 shape=4
.constant address=4 codes=4
.output name=trace address=8 shape=4
.weights row=0 column=0 values=24,31
PAGE  page=0
SHIFT register=0 width=2 address=0 blocks=2 block_stride=4   ; state 0 and the constant
STORE registers=0
CALC  fan_in=16 row=0 neurons=1 registers=0
OUT   address=8
WAIT  cycles=2                                               ; until the result can be read
SHIFT register=0 width=2 address=1 blocks=2 block_stride=7
STORE registers=0
CALC  fan_in=16 row=0 neurons=1 registers=0
OUT   address=9
WAIT  cycles=2
SHIFT register=0 width=2 address=2 blocks=2 block_stride=7
STORE registers=0
CALC  fan_in=16 row=0 neurons=1 registers=0
OUT   address=10
WAIT  cycles=2
SHIFT register=0 width=2 address=3 blocks=2 block_stride=7
STORE registers=0
CALC  fan_in=16 row=0 neurons=1 registers=0
OUT   address=11
END
