; RFSH writes columns 56 to 63 of row 0 again, pair by pair, before the second CALC.
.program name=refresh batch=10
.input   name=image address=0  shape=8
.output  name=sums  address=8  shape=2
.weights row=0 column=56 values=1,-2,3,-4,5,-6,7,-8
.scale   row=0 codes=6
SHIFT 4
SHIFT 4
STORE A.L0
CALC fan_in=64 row=0 neurons=1
OUT 1
REPEAT 4
  RFSH pair=28 step=1
ENDREP
CALC fan_in=64 row=0 neurons=1
OUT 1
STOP
