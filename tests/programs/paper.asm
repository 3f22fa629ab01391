; The example of paper 3, between the directives, the CALC and the OUT that it needs here: 64 pixels through R0 into latch 2.
; Pixels 0, 1, 2, ... under weights 1 to 8: the sum of w (s - 3.5) is 42, which is 2 LSB of 16 and a bit: code 6.
.program name=paper
.input   name=image address=0  shape=64
.output  name=sum   address=64 shape=1
.weights row=0 column=0 values=1,2,3,4,5,6,7,8
.scale   row=0 codes=4
REPEAT 16
SHIFT 4,R0
STORE R0,A.L2
ENDREP
CALC fan_in=64 row=0 neurons=1 latch=2
OUT 1
STOP
