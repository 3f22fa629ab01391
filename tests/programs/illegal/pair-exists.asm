; a pair beyond the last of 2048
.program name=pair-exists
.chip name=anna-1991 rows=60
.input name=image address=0 shape=64
PAGE page=0
RFSH pair=1920
STOP
