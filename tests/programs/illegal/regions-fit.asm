; a constant where the image goes
.program name=regions-fit
.chip name=anna-wide
.input name=image address=0 shape=64
.constant address=63 codes=7
PAGE  page=0
END
