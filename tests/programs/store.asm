; The array reads what was stored, not what is being shifted; STORE may take several registers in one cycle.
.program name=store
.chip name=anna-wide
.input name=image address=0 shape=64
.output name=before address=64 shape=4
.output name=after address=70 shape=4
.weights row=0 column=0 values=31
.weights row=0 column=16 values=31
.weights row=0 column=32 values=31
.weights row=0 column=48 values=31
PAGE  page=0
SHIFT register=0 width=64 address=0 count=64
STORE registers=0
SHIFT register=0 width=64 address=63 count=1    ; everything moves down by one, unseen
SHIFT register=1 width=64 address=0 count=64
CALC  fan_in=16 row=0 neurons=4 registers=0
OUT   address=64 count=4
STORE registers=0+1
CALC  fan_in=16 row=0 neurons=4 registers=0
OUT   address=70 count=4
END
