; Two rounds: what segment 0 makes comes back before segment 1, and what that makes, with the image, before segment 2.
.program name=rounds batch=3
.chip name=anna-wide
.input name=image address=0 shape=4x4x4
.map name=first address=64 shape=2x1x1
.host name=back address=70 shape=2x1x1
.output name=second address=80 shape=2x1x1
.host name=again address=90 shape=2x1x1
.output name=third address=100 shape=3x1x1
.weights page=0 row=0 column=0 values=9,-5,3,20,7
.weights page=0 row=1 column=2 values=20,-20,4,-31
.weights page=1 row=0 column=0 values=16,-16
.weights page=1 row=0 column=16 values=-9,31
.weights page=1 row=0 column=32 values=3,5
; round segment=1 reads=first writes=back
; round segment=2 reads=second writes=again
PAGE  page=0
SHIFT register=0 width=64 address=0 count=64
STORE registers=0
CALC  fan_in=64 row=0 neurons=2 registers=0
OUT   address=64 count=2
PAGE  page=1
SHIFT register=0 width=2 address=70 count=2
SHIFT register=0 first=16 width=2 address=70 count=2
STORE registers=0
CALC  fan_in=16 row=0 neurons=2 registers=0
OUT   address=80 count=2
PAGE  page=1
SHIFT register=0 width=2 address=90 count=2
SHIFT register=0 first=16 width=2 address=80 count=2
SHIFT register=0 first=32 width=2 address=90 count=2
STORE registers=0
CALC  fan_in=16 row=0 neurons=3 registers=0
OUT   address=100 count=3
END
