; A neuron of 128 inputs is two rows, each reading its own register.
.program name=fan_in_128
.chip name=anna-wide
.input name=image address=0 shape=128
.output name=sums address=128 shape=8
.weights row=0 column=0 values=9,9,9,9
.weights row=1 column=0 values=9,9,9,9
.weights row=3 column=0 values=-9,-9,-9,-9
.weights row=15 column=60 values=9,9,9,9
PAGE  page=0
SHIFT register=0 width=64 address=0 count=64
SHIFT register=3 width=64 address=64 count=64
STORE registers=0+3
CALC  fan_in=128 row=0 neurons=8 registers=0,3,0,3,0,3,0,3,0,3,0,3,3,0,3,0
OUT   address=128 count=8
END
