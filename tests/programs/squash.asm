; An ADC whose steps follow a tanh: the larger the sum, the more it takes to reach the next code.
.program name=squash
.chip name=anna-wide adc_curve=squash
.input name=image address=0 shape=64
.output name=codes address=64 shape=4
.weights row=0 column=0 values=4
.weights row=1 column=0 values=9,9
.weights row=2 column=0 values=9,9,9
.weights row=3 column=0 values=9,9,9,9
PAGE  page=0
SHIFT register=0 width=64 address=0 count=64
STORE registers=0
CALC  fan_in=64 row=0 neurons=4 registers=0
OUT   address=64 count=4
END
