; a WAIT that does nothing
.program name=time-passes
.chip name=anna-wide
.input name=image address=0 shape=64
.output name=out address=64 shape=1
.weights row=0 column=0 values=1,2,3
PAGE  page=0
WAIT  cycles=0
END
