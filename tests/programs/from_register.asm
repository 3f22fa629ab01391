; A chip whose SHIFT goes on from a register (shift_from=register): R1 keeps pixels 0 to 3, R0 goes on with 4 to 7.
.program name=from_register
.chip name=anna-1991 shift_from=register
.input   name=image address=0  shape=12
.output  name=codes address=16 shape=8
.weights row=0 column=56 values=31
.weights row=1 column=60 values=31
.weights row=2 column=56 values=31
.weights row=3 column=60 values=31
.scale   row=0 codes=6
.scale   row=1 codes=6
.scale   row=2 codes=6
.scale   row=3 codes=6
SHIFT 4,R0
STORE R0,R1
SHIFT 4,R0
STORE R0,A.L0
CALC fan_in=64 row=0 neurons=2       ; pixels 0 and 4
OUT 2
SHIFT 4,R1
STORE A.L0
CALC fan_in=64 row=2 neurons=6       ; pixels 0 and 8
OUT 4
OUT 2
STOP
