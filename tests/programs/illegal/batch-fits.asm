; a batch that the memory cannot hold
.program name=batch-fits
.chip name=anna-wide
.program name=batch-fits batch=5000
.input name=image address=0 shape=64
PAGE  page=0
END
