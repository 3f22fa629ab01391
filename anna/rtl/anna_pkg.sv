// What all modules share: sizes, codes, the layout of a word, and the settings that are made when the machine starts.
package anna_pkg;
  // Written from a chip's specification: localparams in capitals, named as the fields are.
  `include "parameters.svh"

  // --- words (docs/isa.md, "Words")

  // Bits that hold 0 .. count - 1.
  function automatic int bits_for(int count);
    return count <= 2 ? 1 : $clog2(count);
  endfunction

  function automatic int greater(int a, int b);
    return a > b ? a : b;
  endfunction

  localparam int PAIRS = ROWS * COLUMNS / DACS;
  localparam int OPCODE_BITS = 3;
  localparam int PAIR_BITS = bits_for(PAIRS);
  localparam int SHIFT_COUNT_BITS = bits_for(WORD_STATES + 1);
  localparam int SOURCE_BITS = bits_for(REGISTERS + 1);
  localparam int FAN_IN_BITS = bits_for(FAN_IN_COUNT);
  localparam int ROW_BITS = bits_for(ROWS);
  localparam int NEURONS_BITS = bits_for(NEURONS + 1);
  localparam int LATCH_BITS = bits_for(LATCHES);
  localparam int ADDRESS_BITS = MEMORY_STATES == 0 ? 32 : bits_for(MEMORY_STATES + 1);
  localparam int PAGE_BITS = bits_for(MAX_PAGES);
  localparam int CYCLES_BITS = 24;

  // 37 bits enter at the chip's pins, more if the fields of one of its instructions need them.
  localparam int FIELD_BITS = greater(
      greater(PAIR_BITS, SHIFT_COUNT_BITS + SOURCE_BITS),
      greater(REGISTERS + LATCHES, FAN_IN_BITS + ROW_BITS + NEURONS_BITS + LATCH_BITS));
  localparam int PIN_BITS = greater(37, OPCODE_BITS + greater(FIELD_BITS, NEURONS_BITS));
  localparam int WORD_BITS = 64 * LIMBS;

  typedef logic [WORD_BITS-1:0] word_t;
  typedef logic [PIN_BITS-1:0] pins_t;

  // Numbers in fields, counts and addresses; what is never reached falls away in synthesis.
  typedef logic [31:0] number_t;
  typedef logic [$clog2(PROGRAM_WORDS)-1:0] place_t;  // of a word in the program

  typedef enum logic [OPCODE_BITS-1:0] {NO_CHIP_OP, RFSH, SHIFT, STORE, CALC, OUT, CHIP_6, CHIP_7} chip_opcode_t;
  typedef enum logic [OPCODE_BITS-1:0] {NO_BOARD_OP, PAGE, WAIT, REPEAT, ENDREP, STOP, BOARD_6, BOARD_7} board_opcode_t;

  // What the chip is told at its pins; fields that the instruction does not have are zero.
  typedef struct packed {
    chip_opcode_t opcode;
    number_t pair;
    number_t count;
    number_t source;  // 0: the shifter itself; k + 1: register k
    logic [REGISTERS-1:0] registers;
    logic [LATCHES-1:0] latches;
    number_t fan_in;  // an index of FAN_INS
    number_t row;
    number_t neurons;
    number_t latch;
  } chip_op_t;

  // What stays on the board.
  typedef struct packed {
    board_opcode_t opcode;
    number_t address;
    number_t step;
    number_t outer_step;
    number_t page;
    number_t cycles;  // of a WAIT
    number_t turns;   // of a REPEAT
  } board_op_t;

  // --- states, weights, sums (docs/isa.md, "Arithmetic")

  typedef logic [STATE_BITS-1:0] state_t;
  typedef logic [WEIGHT_BITS-1:0] weight_t;
  typedef logic [SCALE_FIELD_BITS-1:0] scale_t;
  typedef state_t [COLUMNS-1:0] row_t;  // column 0 in the lowest bits

  localparam int GROUPS = FAN_INS[0] < COLUMNS ? COLUMNS / FAN_INS[0] : 1;
  localparam int SLICE = COLUMNS / GROUPS;  // columns of a row that always belong to the same neuron
  localparam int THRESHOLDS_EACH = (1 << STATE_BITS) - 1;

  // A state counts half LSBs, a weight half LSBs too; a sum is in accumulator units, 2^-f of a weight LSB x half a state LSB.
  localparam int STATE_MIDDLE = (1 << STATE_BITS) - (STATE_MID_TREAD ? 0 : 1);
  localparam int WEIGHT_MIDDLE = (1 << WEIGHT_BITS) - (WEIGHT_MID_TREAD ? 0 : 1);
  localparam int FRACTION_BITS = greater(1, 16 - WEIGHT_BITS);
  typedef logic signed [63:0] sum_t;  // exact: no specification has sums or thresholds beyond 2^53

  // --- settings: what is not wired into the chip, but held for a whole run

  typedef enum logic [1:0] {OVERLAP_NONE, OVERLAP_SHIFT_CALC, OVERLAP_ALL} overlap_t;

  typedef struct packed {
    overlap_t overlap;
    number_t issue_width;
    logic paced;                  // whether the sequencer has a rate; if not, it is always ready
    number_t instruction_cycles;  // from one instruction to the next
    number_t word_cycles;         // of moving a word over the bus
    number_t calc_cycles;
    number_t store_cycles;
    number_t states_in_per_cycle;
    number_t states_out_per_cycle;
  } timing_t;

  typedef struct packed {
    timing_t timing;
    logic from_shifter;  // SHIFT shifts what the shifter holds, whatever register is named
    state_t reset_state;
  } settings_t;

  function automatic number_t divided_up(number_t a, number_t b);
    return (a + b - 1) / b;
  endfunction
endpackage
