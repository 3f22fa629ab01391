; OUT twice after one CALC
.program name=result-exists
.chip name=anna-wide
.input name=image address=0 shape=64
.output name=out address=64 shape=1
.weights row=0 column=0 values=1,2,3
PAGE  page=0
SHIFT register=0 width=64 address=0 count=64
STORE registers=0
CALC  fan_in=64 row=0 neurons=1 registers=0
OUT   address=64
OUT   address=65
END
