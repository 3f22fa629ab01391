; two rounds before one segment write one address
.program name=host-apart
.chip name=anna-wide
.input name=image address=0 shape=4x1x1
.host name=one address=64 shape=4x1x1
.host name=other address=67 shape=4x1x1
; round segment=0 reads=image writes=one
; round segment=0 reads=image writes=other
PAGE  page=0
END
