; nine states into eight columns, and none at all
.program name=states-moved
.chip name=anna-wide
.input name=image address=0 shape=64
.output name=out address=64 shape=1
.weights row=0 column=0 values=1,2,3
PAGE  page=0
SHIFT register=0 width=8 address=0 count=9
SHIFT register=0 width=8 address=0 count=0
END
