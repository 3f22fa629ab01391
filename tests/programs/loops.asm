; Two loops, one in the other: pixels 0, 1, 4 and 5 of each of four rows of nine enter the shifter, two by two.
; Neuron 3 adds the states of pixels 0 and 4, k - 3.5 and k + 0.5 in row k: 31 (2k - 3) is -2.9, -1, 1 and 2.9 LSB of 32.
.program name=loops
.input   name=image address=0  shape=4x9
.output  name=sums  address=36 shape=4x4
.weights row=0 column=60 values=31
.weights row=0 column=62 values=31
.scale   row=0 codes=6,6,6,6
REPEAT 4
  REPEAT 2
    SHIFT 2 address=0 step=4 outer_step=9
  ENDREP
  STORE A.L0
  CALC fan_in=16 row=0 neurons=4
  OUT 4
ENDREP
STOP
