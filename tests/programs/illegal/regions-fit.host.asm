; a constant where the host writes
.program name=regions-fit
.chip name=anna-wide
.input name=image address=0 shape=4x1x1
.host name=back address=64 shape=4x1x1
; round segment=0 reads=image writes=back
.constant address=67 codes=7
PAGE  page=0
END
