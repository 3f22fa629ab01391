; States with an exact zero and weights without: every synapse must then read a stored state.
.program name=mid_tread
.chip name=anna-wide state_levels=mid-tread weight_levels=mid-rise
.input name=image address=0 shape=16
.output name=codes address=16 shape=4
.weights row=0 column=0 values=0.5,1.5,2.5,3.5,4.5,5.5,6.5,7.5,8.5,9.5,10.5,11.5,12.5,13.5,14.5,15.5
PAGE  page=0
SHIFT register=0 width=64 address=0 count=16 blocks=4
STORE registers=0
CALC  fan_in=16 row=0 neurons=4 registers=0
OUT   address=16 count=4
END
