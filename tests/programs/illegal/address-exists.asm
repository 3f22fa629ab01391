; beyond the memory
.program name=address-exists
.chip name=anna-wide memory_states=100
.input name=image address=0 shape=64
PAGE  page=0
SHIFT register=0 width=8 address=40 count=8 stride=10
END
