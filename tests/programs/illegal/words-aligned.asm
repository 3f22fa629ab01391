; the DSP moves words of four states
.program name=words-aligned
.chip name=anna-1991
.sequencer name=dsp
.input name=image address=0 shape=64
PAGE  page=0
SHIFT 4 address=0
SHIFT 4 address=6
STOP
