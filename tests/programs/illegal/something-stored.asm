; a STORE to nowhere
.program name=something-stored
.chip name=anna-1991
.input name=image address=0 shape=64
PAGE  page=0
STORE
STOP
