; Every directive and every instruction once: two pages, a constant, a map, strides, another chip.
.program  name=by_hand batch=10
.chip     name=anna-1991 weight_bits=7
.input    name=picture address=0  shape=1x8x8
.constant address=64   codes=7
.map      name=first   address=66 shape=2
.output   name=second  address=80 shape=1x2 strides=2x1
.weights  page=0 row=0 column=4  values=20,20,18,18,-12,-12,-9
.weights  page=0 row=1 column=20 values=20,20,18,18,-9,31
.weights  page=0 row=1 column=63 values=-9
.weights  page=1 row=0 column=0  values=60,-16
.weights  page=1 row=1 column=0  values=40,-50
.scale    page=0 row=0 codes=1
.scale    page=1 row=1 codes=2
PAGE  page=0
SHIFT register=0 first=63 width=1 address=64
SHIFT register=0 width=62 address=0 count=62 stride=1
STORE registers=0
CALC  fan_in=64 row=0 neurons=2 registers=0
OUT   address=66 count=2
PAGE  page=1
SHIFT register=0 width=2 address=66 count=2
WAIT  cycles=3
STORE registers=0
CALC  fan_in=64 row=0 neurons=2 registers=0
OUT   address=80 count=2
END
