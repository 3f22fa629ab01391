; SHIFT moves a range of columns down and brings in new states at its upper end; columns outside stay.
.program name=shift
.chip name=anna-wide
.input name=image address=0 shape=16
.output name=seen address=16 shape=8
.weights row=0 column=0 values=31
.weights row=0 column=17 values=31
.weights row=0 column=34 values=31
.weights row=0 column=51 values=31
.weights row=1 column=3 values=31
.weights row=1 column=18 values=31
.weights row=1 column=33 values=31
.weights row=1 column=48 values=31
PAGE  page=0
SHIFT register=0 width=64 address=0 count=16 blocks=4   ; four times pixels 0..15
SHIFT register=0 width=4 address=8 count=2              ; columns 0..3 are now pixels 2, 3, 8, 9
STORE registers=0
CALC  fan_in=16 row=0 neurons=8 registers=0
OUT   address=16 count=8
END
