; continues after STOP
.program name=program-shape
.chip name=anna-1991
.input name=image address=0 shape=64
.output name=out address=64 shape=1
.weights row=0 column=60 values=1,2,3,1
PAGE  page=0
STOP
PAGE page=0
