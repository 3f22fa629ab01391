; 128 inputs need latches 0 and 1, or 2 and 3; 256 need all four
.program name=latches-fit
.chip name=anna-1991
.input name=image address=0 shape=64
PAGE  page=0
CALC  fan_in=128 row=0 neurons=1 latch=1
CALC  fan_in=256 row=0 neurons=1 latch=2
STOP
