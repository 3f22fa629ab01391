; Input, array and output in parallel: three windows of a convolution, four cycles each once the pipeline is full.
.program name=overlap
.chip name=anna-wide
.input name=image address=0 shape=16x6
.output name=row address=96 shape=3x8 strides=8x1
.weights row=0 column=0 values=1,2,3,4,5,6
.weights row=1 column=6 values=1,2,3,4,5,6
.weights row=2 column=12 values=1,2,3,4,5,6
.weights row=3 column=18 values=1,2,3,4,5,6
.weights row=4 column=24 values=1,2,3,4,5,6
.weights row=5 column=0 values=-1,-2,-3,-4,-5,-6
.weights row=6 column=6 values=-1,-2,-3,-4,-5,-6
.weights row=7 column=12 values=-1,-2,-3,-4,-5,-6
PAGE  page=0
SHIFT register=0 width=30 address=0 count=30
STORE registers=0
CALC  fan_in=64 row=0 neurons=8 registers=0
SHIFT register=0 width=30 address=30 count=6
STORE registers=0
OUT   address=96 count=8
CALC  fan_in=64 row=0 neurons=8 registers=0
SHIFT register=0 width=30 address=36 count=6
STORE registers=0
OUT   address=104 count=8
CALC  fan_in=64 row=0 neurons=8 registers=0
OUT   address=112 count=8
END
