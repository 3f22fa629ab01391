; continues after END
.program name=program-shape
.chip name=anna-wide
.input name=image address=0 shape=64
.output name=out address=64 shape=1
.weights row=0 column=0 values=1,2,3
PAGE  page=0
END
PAGE  page=0
