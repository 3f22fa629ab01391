; five states into a word of four, no states at all, and three words of results where an OUT moves two
.program name=states-moved
.chip name=anna-1991 neurons_at_once=16
.input name=image address=0 shape=64
PAGE  page=0
SHIFT 5 address=0
SHIFT 0 address=0
OUT   9 address=64
STOP
