; Horizontal and vertical edges of an 8x8 image, written by hand: 3x3 kernels, four columns of positions per CALC.
.program name=edges
.chip name=anna-wide
.input   name=image    address=0   shape=1x8x8
.output  name=edges    address=64  shape=2x6x6          ; first the vertical edges, then the horizontal ones
; Register columns: a window of 6 image columns x 3 rows, column by column.
; Neurons 0-3 look for vertical edges at positions 0-3 of the window, neurons 4-7 for horizontal ones.
.weights row=0 column=0 values=-9,-18,-9,0,0,0,9,18,9
.weights row=1 column=3 values=-9,-18,-9,0,0,0,9,18,9
.weights row=2 column=6 values=-9,-18,-9,0,0,0,9,18,9
.weights row=3 column=9 values=-9,-18,-9,0,0,0,9,18,9
.weights row=4 column=0 values=-9,0,9,-18,0,18,-9,0,9
.weights row=5 column=3 values=-9,0,9,-18,0,18,-9,0,9
.weights row=6 column=6 values=-9,0,9,-18,0,18,-9,0,9
.weights row=7 column=9 values=-9,0,9,-18,0,18,-9,0,9
.scale row=0 codes=1
.scale row=1 codes=1
.scale row=2 codes=1
.scale row=3 codes=1
.scale row=4 codes=1
.scale row=5 codes=1
.scale row=6 codes=1
.scale row=7 codes=1
PAGE page=0
; image rows 0 to 2
SHIFT register=0 width=18 address=0 count=3 stride=8 blocks=6 block_stride=1
STORE registers=0
SHIFT register=0 width=18 address=6 count=3 stride=8 blocks=2 block_stride=1
CALC  fan_in=64 row=0 neurons=8 registers=0
OUT   address=64 count=4 blocks=2 block_stride=36
STORE registers=0
CALC  fan_in=64 row=0 neurons=8 registers=0           ; positions 2-5; 2 and 3 once more
OUT   address=66 count=4 blocks=2 block_stride=36
; image rows 1 to 3
SHIFT register=0 width=18 address=8 count=3 stride=8 blocks=6 block_stride=1
STORE registers=0
SHIFT register=0 width=18 address=14 count=3 stride=8 blocks=2 block_stride=1
CALC  fan_in=64 row=0 neurons=8 registers=0
OUT   address=70 count=4 blocks=2 block_stride=36
STORE registers=0
CALC  fan_in=64 row=0 neurons=8 registers=0           ; positions 2-5; 2 and 3 once more
OUT   address=72 count=4 blocks=2 block_stride=36
; image rows 2 to 4
SHIFT register=0 width=18 address=16 count=3 stride=8 blocks=6 block_stride=1
STORE registers=0
SHIFT register=0 width=18 address=22 count=3 stride=8 blocks=2 block_stride=1
CALC  fan_in=64 row=0 neurons=8 registers=0
OUT   address=76 count=4 blocks=2 block_stride=36
STORE registers=0
CALC  fan_in=64 row=0 neurons=8 registers=0           ; positions 2-5; 2 and 3 once more
OUT   address=78 count=4 blocks=2 block_stride=36
; image rows 3 to 5
SHIFT register=0 width=18 address=24 count=3 stride=8 blocks=6 block_stride=1
STORE registers=0
SHIFT register=0 width=18 address=30 count=3 stride=8 blocks=2 block_stride=1
CALC  fan_in=64 row=0 neurons=8 registers=0
OUT   address=82 count=4 blocks=2 block_stride=36
STORE registers=0
CALC  fan_in=64 row=0 neurons=8 registers=0           ; positions 2-5; 2 and 3 once more
OUT   address=84 count=4 blocks=2 block_stride=36
; image rows 4 to 6
SHIFT register=0 width=18 address=32 count=3 stride=8 blocks=6 block_stride=1
STORE registers=0
SHIFT register=0 width=18 address=38 count=3 stride=8 blocks=2 block_stride=1
CALC  fan_in=64 row=0 neurons=8 registers=0
OUT   address=88 count=4 blocks=2 block_stride=36
STORE registers=0
CALC  fan_in=64 row=0 neurons=8 registers=0           ; positions 2-5; 2 and 3 once more
OUT   address=90 count=4 blocks=2 block_stride=36
; image rows 5 to 7
SHIFT register=0 width=18 address=40 count=3 stride=8 blocks=6 block_stride=1
STORE registers=0
SHIFT register=0 width=18 address=46 count=3 stride=8 blocks=2 block_stride=1
CALC  fan_in=64 row=0 neurons=8 registers=0
OUT   address=94 count=4 blocks=2 block_stride=36
STORE registers=0
CALC  fan_in=64 row=0 neurons=8 registers=0           ; positions 2-5; 2 and 3 once more
OUT   address=96 count=4 blocks=2 block_stride=36
END
