; a result written over a state that a slow SHIFT has not read yet
.program name=read-before-overwritten
.chip name=anna-1991 states_in_per_cycle=1
.sequencer overlap=all
.input name=image address=0 shape=64
.output name=out address=64 shape=1
.weights row=0 column=60 values=1,2,3,1
PAGE  page=0
SHIFT 4 address=0
STORE A.L0
CALC  fan_in=64 row=0 neurons=2
WAIT  cycles=4
SHIFT 4 address=0
OUT   1 address=3
OUT   1 address=64
STOP
