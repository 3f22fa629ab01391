; Results taken one, four and three at a time, in order; a chip that moves two words in an OUT, all units side by side.
.program name=two_words
.chip name=anna-1991 out_words=2
.sequencer overlap=all
.input   name=image address=0  shape=4
.output  name=codes address=16 shape=8
.weights row=0 column=63 values=31
.weights row=1 column=62 values=31
.weights row=2 column=61 values=31
.weights row=3 column=60 values=31
.scale   row=0 codes=6
.scale   row=1 codes=6
.scale   row=2 codes=6
.scale   row=3 codes=6
SHIFT 4
STORE A.L0
CALC fan_in=64 row=0 neurons=8
OUT 1
OUT 4
OUT 3
STOP
