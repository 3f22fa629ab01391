; what the host writes before segment 1 is read in segment 0
.program name=defined-before-read
.chip name=anna-wide
.input name=image address=0 shape=4x1x1
.host name=back address=64 shape=4x1x1
; round segment=1 reads=image writes=back
PAGE  page=0
SHIFT register=0 width=4 address=64 count=4
PAGE  page=0
END
