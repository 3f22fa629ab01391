; Busy units stall and stalls are counted: a SHIFT waits for the one before, CALC for STORE, OUT for CALC; odd counts round up.
.program name=stall
.chip name=anna-wide
.input name=image address=0 shape=64
.output name=codes address=64 shape=3
.weights row=0 column=0 values=5
PAGE  page=0
SHIFT register=0 width=63 address=0 count=63
SHIFT register=0 width=1 address=63
STORE registers=0
CALC  fan_in=64 row=0 neurons=3 registers=0
OUT   address=64 count=3
END
