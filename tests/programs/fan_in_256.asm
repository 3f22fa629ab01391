; Eight neurons of 256 inputs: 32 rows and 2048 synapses in one CALC, twice.
.program name=fan_in_256
.chip name=anna-wide
.input name=image address=0 shape=256
.output name=sums address=256 shape=16
.weights row=0 column=0 values=31,31
.weights row=1 column=0 values=31,31
.weights row=2 column=0 values=31,31
.weights row=3 column=0 values=31,31
.weights row=31 column=62 values=-31,-31
.weights row=60 column=0 values=-31,-31
.scale row=0 codes=2
PAGE  page=0
SHIFT register=0 width=64 address=0 count=64
SHIFT register=1 width=64 address=64 count=64
SHIFT register=2 width=64 address=128 count=64
SHIFT register=3 width=64 address=192 count=64
STORE registers=0+1+2+3
CALC  fan_in=256 row=0 neurons=8 registers=0,1,2,3,0,1,2,3,0,1,2,3,0,1,2,3,0,1,2,3,0,1,2,3,0,1,2,3,0,1,2,3
CALC  fan_in=256 row=32 neurons=8 registers=3,2,1,0,3,2,1,0,3,2,1,0,3,2,1,0,3,2,1,0,3,2,1,0,3,2,1,0,3,2,1,0
OUT   address=256 count=8
OUT   address=264 count=8
END
