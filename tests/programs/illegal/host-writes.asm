; states that the host should write, and no round that does
.program name=host-writes
.chip name=anna-wide
.input name=image address=0 shape=64
.host name=back address=64 shape=2x1x1
PAGE  page=0
END
