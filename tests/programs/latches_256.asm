; One neuron of 256 inputs on latches 0 to 3, two of 128 on latches 2 and 3; the DSP issues the instructions.
.program name=latches_256
.sequencer name=dsp
.input   name=image address=0  shape=16
.output  name=wide  address=16 shape=1
.output  name=pairs address=20 shape=2
.weights row=0 column=63 values=31
.weights row=1 column=63 values=-31
.weights row=2 column=63 values=31
.weights row=3 column=63 values=31
.weights row=4 column=60 values=31
.weights row=7 column=61 values=31
.scale   row=0 codes=8
.scale   row=4 codes=6
.scale   row=6 codes=6
SHIFT 4
STORE A.L0
SHIFT 4
STORE A.L1
SHIFT 4
STORE A.L2
SHIFT 4
STORE A.L3
CALC fan_in=256 row=0 neurons=1
OUT 1
CALC fan_in=128 row=4 neurons=2 latch=2
OUT 2 address=20
STOP
