; Another chip is a changed record: 8-bit weights, 5-bit states, 16 neurons at once, no scale codes.
.program name=wider_chip
.chip name=anna-wide weight_bits=8 state_bits=5 scale_bits=0 neurons_at_once=16 states_in_per_cycle=4
.input name=image address=0 shape=64
.output name=codes address=64 shape=16
.weights row=0 column=0 values=127,-127,100
.weights row=3 column=60 values=1,2,3,4
PAGE  page=0
SHIFT register=1 width=64 address=0 count=64
STORE registers=1
CALC  fan_in=16 row=0 neurons=16 registers=1
OUT   address=64 count=16
END
