; Two pages of weights for one image: a load each, shared by a batch of ten; memory is kept, registers are not.
.program name=paging batch=10
.chip name=anna-wide
.input name=image address=0 shape=64
.output name=second address=80 shape=1
.map name=first address=64 shape=2
.weights page=0 row=0 column=0 values=20,20
.weights page=0 row=1 column=2 values=20,20
.weights page=1 row=0 column=0 values=16,-16
PAGE  page=0
SHIFT register=0 width=64 address=0 count=64
STORE registers=0
CALC  fan_in=64 row=0 neurons=2 registers=0
OUT   address=64 count=2
PAGE  page=1
SHIFT register=0 width=2 address=64 count=2
STORE registers=0
CALC  fan_in=16 row=0 neurons=1 registers=0
OUT   address=80
END
