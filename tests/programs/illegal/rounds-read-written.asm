; a round before the segment that makes what it reads
.program name=rounds-read-written
.chip name=anna-wide
.input name=image address=0 shape=64
.map name=out address=64 shape=2x1x1
.host name=back address=80 shape=2x1x1
.weights page=0 row=0 column=0 values=20,20
; round segment=0 reads=out writes=back
PAGE  page=0
SHIFT register=0 width=64 address=0 count=64
STORE registers=0
CALC  fan_in=64 row=0 neurons=2 registers=0
OUT   address=64 count=2
PAGE  page=0
END
