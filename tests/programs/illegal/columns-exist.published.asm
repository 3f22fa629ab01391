; a register and a latch that the field can name but the chip does not have
.program name=columns-exist
.chip name=anna-1991 registers=5 latches=4
.input name=image address=0 shape=64
PAGE  page=0
SHIFT 4,R6 address=0
STOP
