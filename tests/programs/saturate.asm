; The ADC saturates at its end codes, however large the sum.
.program name=saturate
.chip name=anna-wide
.input name=image address=0 shape=64
.constant address=64 codes=7
.output name=ends address=65 shape=4
.weights row=0 column=0 values=31,31,31,31,31,31,31,31
.weights row=1 column=0 values=-31,-31,-31,-31,-31,-31,-31,-31
.weights row=2 column=63 values=1
.weights row=3 column=63 values=-1
PAGE  page=0
SHIFT register=0 width=63 address=64 count=63 stride=0   ; the constant, 63 times
SHIFT register=0 first=63 width=1 address=0
STORE registers=0
CALC  fan_in=64 row=0 neurons=4 registers=0
OUT   address=65 count=4
END
