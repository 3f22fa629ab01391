; A cellular network that fills holes, one of the applications of the board of 1996: a cell for each pixel, whose next state
; follows from its own, its four neighbours' and its pixel. All states begin black, but for a white frame; a cell whose pixel is
; white turns white once a neighbour is, so white comes in from the frame and reaches all that no line shuts off.
;
; A cell is black if 2 of itself + 1 of each neighbour + 5 of its pixel is more than 0, black being +1 and white -1; all times 6.
; The window goes into all four latches, so each weight has four synapses, and the least sum, 4 x 6 x 3.5 products, is far
; beyond the end of the scale and the noise of the wire: states are 0 or 7 again. With one synapse a weight the noise opens
; every hole. The frame stays white by the rule itself, so the last column of a band may have the first one of the next for a
; neighbour, and all bands are one loop.
;
; Bands of four rows, in them columns, in them four rows: a word is four pixels of a column. The image has 32 x 32 pixels; the
; states have a white band more above and below, and lie in memory twice: each step reads one of them and writes the other.
; The window is two blocks of two columns. In a block: two words of the image, then two words of each of three bands of states.
.program  name=cellular
.input    name=image  address=0    shape=18x32x4    ; eight bands of the image, then ten of the first states
.output   name=filled address=1152 shape=8x32x4     ; the last states, without the white bands
.constant address=2304 codes=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0
.constant address=3456 codes=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0
; rows 4n to 4n + 3: neuron n, the cell in column n div 4 and row n mod 4 of a band
.weights row=0 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,6,0,0,0,12,6,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=1 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,6,0,0,0,12,6,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=2 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,6,0,0,0,12,6,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=3 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,6,0,0,0,12,6,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=4 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,6,12,6,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=5 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,6,12,6,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=6 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,6,12,6,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=7 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,6,12,6,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=8 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,6,12,6,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=9 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,6,12,6,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=10 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,6,12,6,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=11 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,6,12,6,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=12 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,6,12,0,0,0,0,6,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=13 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,6,12,0,0,0,0,6,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=14 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,6,12,0,0,0,0,6,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=15 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,6,12,0,0,0,0,6,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0
.weights row=16 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,6,0,0,0,0,12,6,0,0,6,0,0,0,0,0,0,0,0,0,0,0
.weights row=17 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,6,0,0,0,0,12,6,0,0,6,0,0,0,0,0,0,0,0,0,0,0
.weights row=18 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,6,0,0,0,0,12,6,0,0,6,0,0,0,0,0,0,0,0,0,0,0
.weights row=19 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,6,0,0,0,0,12,6,0,0,6,0,0,0,0,0,0,0,0,0,0,0
.weights row=20 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,6,12,6,0,0,6,0,0,0,0,0,0,0,0,0,0
.weights row=21 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,6,12,6,0,0,6,0,0,0,0,0,0,0,0,0,0
.weights row=22 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,6,12,6,0,0,6,0,0,0,0,0,0,0,0,0,0
.weights row=23 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,6,12,6,0,0,6,0,0,0,0,0,0,0,0,0,0
.weights row=24 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,6,12,6,0,0,6,0,0,0,0,0,0,0,0,0
.weights row=25 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,6,12,6,0,0,6,0,0,0,0,0,0,0,0,0
.weights row=26 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,6,12,6,0,0,6,0,0,0,0,0,0,0,0,0
.weights row=27 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,6,12,6,0,0,6,0,0,0,0,0,0,0,0,0
.weights row=28 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,6,12,0,0,0,6,6,0,0,0,0,0,0,0
.weights row=29 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,6,12,0,0,0,6,6,0,0,0,0,0,0,0
.weights row=30 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,6,12,0,0,0,6,6,0,0,0,0,0,0,0
.weights row=31 column=0 values=0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,6,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,30,0,0,0,0,0,0,0,0,0,0,6,12,0,0,0,6,6,0,0,0,0,0,0,0
.scale row=0 codes=0
.scale row=4 codes=0
.scale row=8 codes=0
.scale row=12 codes=0
.scale row=16 codes=0
.scale row=20 codes=0
.scale row=24 codes=0
.scale row=28 codes=0
REPEAT 24                                         ; two steps
  SHIFT 4 address=0                               ; the block before the first
  SHIFT 4
  SHIFT 4 address=1020
  SHIFT 4
  SHIFT 4 address=1148
  SHIFT 4
  SHIFT 4 address=1276
  SHIFT 4
  REPEAT 128                                      ; two columns, from the first states to the second
    SHIFT 4 address=0 step=8                      ; the image there,
    SHIFT 4
    SHIFT 4 address=1028 step=8                   ; and the states a column further on: of the band above,
    SHIFT 4
    SHIFT 4 address=1156 step=8                   ; of the same,
    SHIFT 4
    SHIFT 4 address=1284 step=8                   ; and of the one below
    SHIFT 4
    STORE A.L0,A.L1,A.L2,A.L3
    CALC fan_in=256 row=0 neurons=8
    OUT 4 address=2432 step=8
    OUT 4
  ENDREP
  SHIFT 4 address=0                               ; the same the other way
  SHIFT 4
  SHIFT 4 address=2300
  SHIFT 4
  SHIFT 4 address=2428
  SHIFT 4
  SHIFT 4 address=2556
  SHIFT 4
  REPEAT 128                                      ; two columns
    SHIFT 4 address=0 step=8                      ; the image there,
    SHIFT 4
    SHIFT 4 address=2308 step=8                   ; and the states a column further on: of the band above,
    SHIFT 4
    SHIFT 4 address=2436 step=8                   ; of the same,
    SHIFT 4
    SHIFT 4 address=2564 step=8                   ; and of the one below
    SHIFT 4
    STORE A.L0,A.L1,A.L2,A.L3
    CALC fan_in=256 row=0 neurons=8
    OUT 4 address=1152 step=8
    OUT 4
  ENDREP
ENDREP
STOP
