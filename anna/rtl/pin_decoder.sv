// Decodes what enters at the chip's pins: an opcode and the fields of one of its five instructions.
module pin_decoder
  import anna_pkg::*;
(
    input  pins_t    pins,
    output chip_op_t op
);
  function automatic number_t field(pins_t from, int at, int bits);
    return 32'((from >> at) & ((pins_t'(1) << bits) - pins_t'(1)));
  endfunction

  localparam int FIRST = OPCODE_BITS;

  always_comb begin
    op = '0;
    op.opcode = chip_opcode_t'(pins[OPCODE_BITS-1:0]);
    case (op.opcode)
      RFSH: op.pair = field(pins, FIRST, PAIR_BITS);
      SHIFT: begin
        op.count  = field(pins, FIRST, SHIFT_COUNT_BITS);
        op.source = field(pins, FIRST + SHIFT_COUNT_BITS, SOURCE_BITS);
      end
      STORE: begin
        op.registers = pins[FIRST+:REGISTERS];
        op.latches   = pins[FIRST+REGISTERS+:LATCHES];
      end
      CALC: begin
        op.fan_in  = field(pins, FIRST, FAN_IN_BITS);
        op.row     = field(pins, FIRST + FAN_IN_BITS, ROW_BITS);
        op.neurons = field(pins, FIRST + FAN_IN_BITS + ROW_BITS, NEURONS_BITS);
        op.latch   = field(pins, FIRST + FAN_IN_BITS + ROW_BITS + NEURONS_BITS, LATCH_BITS);
      end
      OUT: op.count = field(pins, FIRST, NEURONS_BITS);
      default: ;
    endcase
  end
endmodule
