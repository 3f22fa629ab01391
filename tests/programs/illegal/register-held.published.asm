; STORE to a latch while the CALC reads it
.program name=register-held
.chip name=anna-1991
.sequencer overlap=all
.input name=image address=0 shape=64
.output name=out address=64 shape=1
.weights row=0 column=60 values=1,2,3,1
PAGE  page=0
SHIFT 4 address=0
STORE A.L0
CALC  fan_in=64 row=0 neurons=1
STORE A.L0
OUT   1 address=64
STOP
