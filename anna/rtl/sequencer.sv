// The sequencer: fetches words, turns loops and pages, and starts each instruction in the first cycle in which it may.
// Its clock is faster than the chip's: a word that takes no time takes a clock, and a tick ends a cycle of the chip.
module sequencer
  import anna_pkg::*;
(
    input  logic         clk,
    input  logic         reset,
    input  timing_t      timing,
    input  word_t        word,           // at `place`
    output place_t       place,
    output logic         tick,
    output logic         clear,          // begins a page segment
    output logic         start,          // an instruction of the chip
    output pins_t        pins,
    output chip_opcode_t opcode,
    output number_t      address,        // of the SHIFT or OUT
    output number_t      page,
    output logic         loading,        // the cycles are those of a page load
    output number_t      cycle,          // of the segment, or of the load
    output logic         segment_ended,  // after so many cycles
    output logic         load_ended,
    output logic         done
);
  typedef enum logic [2:0] {RUN, SCAN, LOAD, LOADED, DONE} phase_t;
  phase_t phase;

  place_t next_place, scan_place;
  assign place = phase == SCAN ? scan_place : next_place;

  // --- the word
  board_op_t board_op;
  /* verilator lint_off UNUSEDSIGNAL */
  chip_op_t fetched;  // which registers and latches are named is the chip's concern
  /* verilator lint_on UNUSEDSIGNAL */
  pin_decoder pin_fields (.pins(word[PIN_BITS-1:0]), .op(fetched));
  board_decoder board_fields (.word, .chip_opcode(fetched.opcode), .op(board_op));

  // --- loops: the innermost is 0, the one around it 1
  typedef struct packed {
    place_t body;    // where it begins
    number_t turns;  // of all
    number_t turn;   // this one
  } loop_t;
  loop_t inner, outer;

  // --- places of this turn
  number_t offset;
  assign offset  = inner.turn * board_op.step + outer.turn * board_op.outer_step;
  assign address = board_op.address + offset;

  // --- the load: rows that CALCs of the segment use, found by reading ahead, then a pair after another
  logic [ROWS-1:0] used;
  number_t load_pair, load_wait;
  localparam number_t PAIRS_OF_ROW = COLUMNS / DACS;
  localparam number_t PAIR_COUNT = PAIRS;

  logic ends_segment;
  assign ends_segment = fetched.opcode == NO_CHIP_OP && (board_op.opcode == PAGE || board_op.opcode == STOP);

  number_t fan_in, last_row;  // of a CALC
  assign fan_in   = FAN_INS[fetched.fan_in];
  assign last_row = fetched.row + (fetched.neurons * fan_in - 1) / COLUMNS;

  logic loads;  // whether an RFSH of the load starts
  assign loads = phase == LOAD && load_wait == 0 && load_pair != PAIR_COUNT && used[load_pair/PAIRS_OF_ROW];

  // --- what happens in this clock
  logic in_segment, may_start, idle, waits;
  assign done = phase == DONE;  // time goes on
  always_comb begin
    pins = word[PIN_BITS-1:0];
    opcode = fetched.opcode;
    if (fetched.opcode == RFSH) pins[OPCODE_BITS+:PAIR_BITS] = PAIR_BITS'(fetched.pair + offset);
    if (phase == LOAD) begin
      pins = pins_t'(RFSH);
      pins[OPCODE_BITS+:PAIR_BITS] = PAIR_BITS'(load_pair);
      opcode = RFSH;
    end
    waits = phase == RUN && in_segment && fetched.opcode == NO_CHIP_OP && board_op.opcode == WAIT;
    start = loads || phase == RUN && fetched.opcode != NO_CHIP_OP && may_start;
    segment_ended = phase == RUN && in_segment && ends_segment && idle;
    load_ended = phase == LOADED;
    clear = reset || phase == SCAN || load_ended;
    loading = phase == SCAN || phase == LOAD || phase == LOADED;
    tick = done || phase == LOAD && load_wait != 0
        || phase == RUN && in_segment && (fetched.opcode != NO_CHIP_OP ? !may_start : ends_segment && !idle);
  end

  scoreboard scores (
      .clk, .tick, .clear, .timing, .opcode, .count(fetched.count), .neurons(fetched.neurons), .start, .may_start, .idle,
      .wait_more(waits), .wait_cycles(board_op.cycles)
  );

  always_ff @(posedge clk)
    if (reset) begin
      phase <= RUN;
      next_place <= 0;
      in_segment <= 1'b0;
      inner <= '0;
      outer <= '0;
      cycle <= 0;
    end else begin
      if (tick) cycle <= cycle + 1;
      case (phase)
        RUN:
        if (fetched.opcode != NO_CHIP_OP) begin
          if (may_start) next_place <= next_place + 1'b1;
        end else
          case (board_op.opcode)
            WAIT: next_place <= next_place + 1'b1;
            REPEAT: begin
              outer <= inner;
              inner <= '{body: next_place + 1'b1, turns: board_op.turns, turn: 0};
              next_place <= next_place + 1'b1;
            end
            ENDREP:
            if (inner.turn + 1 < inner.turns) begin
              inner.turn <= inner.turn + 1;
              next_place <= inner.body;
            end else begin
              inner <= outer;
              outer <= '0;
              next_place <= next_place + 1'b1;
            end
            PAGE, STOP:
            if (!in_segment || idle) begin
              in_segment <= 1'b0;
              cycle <= 0;
              used <= '0;
              page <= board_op.page;
              scan_place <= next_place + 1'b1;
              phase <= board_op.opcode == STOP ? DONE : SCAN;
              next_place <= next_place + 1'b1;
            end
            default: $fatal(1, "word %0d: there is no such opcode", next_place);
          endcase
        SCAN:
        if (ends_segment) begin
          phase <= LOAD;
          load_pair <= 0;
          load_wait <= 0;
        end else begin
          if (fetched.opcode == CALC)
            for (number_t row = 0; row < ROWS; row++)
              if (row >= fetched.row && row <= last_row) used[row] <= 1'b1;
          scan_place <= scan_place + 1'b1;
        end
        LOAD:
        if (load_wait != 0) load_wait <= load_wait - 1;
        else if (load_pair == PAIR_COUNT) phase <= LOADED;
        else begin
          if (loads) load_wait <= timing.instruction_cycles;
          load_pair <= load_pair + 1;
        end
        LOADED: begin
          in_segment <= 1'b1;
          cycle <= 0;
          phase <= RUN;
        end
        default: ;
      endcase
    end
endmodule
