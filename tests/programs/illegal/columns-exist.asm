; columns 60 to 67 of a register of 64, and a register that the field can name but the chip does not have
.program name=columns-exist
.chip name=anna-wide registers=5
.input name=image address=0 shape=64
PAGE  page=0
SHIFT register=0 first=60 width=8 address=0
SHIFT register=6 width=8 address=0
STORE registers=0
CALC  fan_in=16 row=0 neurons=1 registers=7
END
