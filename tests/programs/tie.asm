; A sum exactly on a threshold gets the higher code: +0.5 - 0.5 = 0 is code 4.
.program name=tie
.chip name=anna-wide adc_full_scale=0.03125
.input name=image address=0 shape=4
.constant address=4 codes=3,4
.output name=code address=6 shape=3
.weights row=0 column=0 values=1,1
.weights row=1 column=0 values=2,1
.weights row=2 column=0 values=1,2
PAGE  page=0
SHIFT register=0 width=64 address=4 count=2 blocks=32
STORE registers=0
CALC  fan_in=64 row=0 neurons=3 registers=0
OUT   address=6 count=3
END
