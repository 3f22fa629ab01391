; the second page was never written
.program name=page-exists
.chip name=anna-wide
.input name=image address=0 shape=64
.output name=out address=64 shape=1
.weights row=0 column=0 values=1,2,3
PAGE  page=1
END
