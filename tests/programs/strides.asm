; SHIFT gathers and OUT scatters with two strides: a window of an image in, results out to two maps.
.program name=strides
.chip name=anna-wide
.input name=image address=0 shape=1x6x6
.output name=maps address=40 shape=2x2x2 strides=10x3x1
.weights row=0 column=0 values=31
.weights row=0 column=16 values=31
.weights row=0 column=32 values=31
.weights row=0 column=48 values=31
.weights row=1 column=1 values=31
.weights row=1 column=17 values=31
.weights row=1 column=33 values=31
.weights row=1 column=49 values=31
PAGE  page=0
SHIFT register=0 first=0  width=16 address=0 count=4 stride=6 blocks=4 block_stride=1  ; columns of a 4x4 window
SHIFT register=0 first=16 width=16 address=1 count=4 stride=6 blocks=4 block_stride=1
SHIFT register=0 first=32 width=16 address=2 count=4 stride=6 blocks=4 block_stride=1
SHIFT register=0 first=48 width=16 address=6 count=4 stride=6 blocks=4 block_stride=1
STORE registers=0
CALC  fan_in=16 row=0 neurons=8 registers=0
OUT   address=40 count=2 stride=1 blocks=2 block_stride=3
WAIT  cycles=4
CALC  fan_in=16 row=1 neurons=4 registers=0
OUT   address=50 count=2 stride=1 blocks=2 block_stride=3
END
