; a shifter that goes on from what it holds, on a chip that shifts registers only
.program name=source-given
.chip name=anna-1991 shift_from=register
.input name=image address=0 shape=64
PAGE  page=0
SHIFT 4 address=0
STOP
