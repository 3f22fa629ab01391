; Constants stay put: a bias uses a reserved column, or two if one weight is not enough.
.program name=bias
.chip name=anna-wide
.input name=image address=0 shape=16
.constant address=16 codes=7
.output name=biased address=20 shape=3
.weights row=0 column=0 values=4,4
.weights row=1 column=0 values=4,4
.weights row=1 column=62 values=31
.weights row=2 column=0 values=4,4
.weights row=2 column=62 values=31,31
PAGE  page=0
SHIFT register=0 first=62 width=2 address=16 count=2 stride=0
SHIFT register=0 width=16 address=0 count=16
STORE registers=0
CALC  fan_in=64 row=0 neurons=3 registers=0
OUT   address=20 count=3
END
