// Decodes what of a word stays on the board: what the sequencer does by itself, addresses of SHIFT and OUT, steps in loops.
module board_decoder
  import anna_pkg::*;
(
    input  word_t        word,
    input  chip_opcode_t chip_opcode,
    output board_op_t    op
);
  localparam int FIRST = PIN_BITS + OPCODE_BITS;

  function automatic number_t field(word_t from, int at, int bits);
    return 32'((from >> at) & ((word_t'(1) << bits) - word_t'(1)));
  endfunction

  always_comb begin
    op = '0;
    op.opcode = board_opcode_t'(word[PIN_BITS+:OPCODE_BITS]);
    case (chip_opcode)
      RFSH: begin
        op.step       = field(word, FIRST, PAIR_BITS);
        op.outer_step = field(word, FIRST + PAIR_BITS, PAIR_BITS);
      end
      SHIFT, OUT: begin
        op.address    = field(word, FIRST, ADDRESS_BITS);
        op.step       = field(word, FIRST + ADDRESS_BITS, ADDRESS_BITS);
        op.outer_step = field(word, FIRST + 2 * ADDRESS_BITS, ADDRESS_BITS);
      end
      NO_CHIP_OP:
      case (op.opcode)
        PAGE:    op.page = field(word, FIRST, PAGE_BITS);
        WAIT:    op.cycles = field(word, FIRST, CYCLES_BITS);
        REPEAT:  op.turns = field(word, FIRST, CYCLES_BITS);
        default: ;
      endcase
      default: ;
    endcase
  end
endmodule
