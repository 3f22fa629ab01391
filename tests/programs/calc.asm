; CALC sums weight times state exactly; a larger scale code makes the same sum a smaller state.
.program name=calc
.chip name=anna-wide
.input name=image address=0 shape=64
.output name=sums address=64 shape=4
.weights row=0 column=0 values=1,-2,3,-4,5,-6,7,-8
.weights row=1 column=0 values=1,-2,3,-4,5,-6,7,-8
.weights row=2 column=0 values=31,31,31,31
.weights row=3 column=0 values=31,31,31,31
.scale row=1 codes=2
.scale row=3 codes=4
PAGE  page=0
SHIFT register=2 width=64 address=0 count=64
STORE registers=2
CALC  fan_in=64 row=0 neurons=4 registers=2
OUT   address=64 count=4
END
