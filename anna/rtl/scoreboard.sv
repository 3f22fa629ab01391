// The scoreboard: for how long each unit is still busy, and whether an instruction may start in this cycle.
module scoreboard
  import anna_pkg::*;
(
    input  logic         clk,
    input  logic         tick,
    input  logic         clear,      // begins a page segment: PAGE takes the first place of cycle 0
    input  timing_t      timing,
    input  chip_opcode_t opcode,     // of the next one
    input  number_t      count,      // states that it moves
    input  number_t      neurons,    // results that it makes
    input  logic         start,      // it does start
    input  logic         wait_more,  // a WAIT: the next one starts later by its cycles
    input  number_t      wait_cycles,
    output logic         may_start,
    output logic         idle        // nothing is under way or waited for
);
  // Cycles left of the last instruction of each kind.
  number_t rfsh_left, shift_left, store_left, calc_left, out_left;
  number_t pace_left;  // until the sequencer is ready again
  number_t wait_left;  // until the WAITs since the last instruction have passed
  number_t started;    // instructions of this cycle

  // Results that no OUT has taken: of the CALC that started last, and of the one before it, which has ended.
  number_t last_results, former_results;

  assign idle = {rfsh_left, shift_left, store_left, calc_left, out_left, pace_left, wait_left} == '0;

  // --- what may run beside what, by the setting (docs/isa.md, "Time", 4)
  logic beside_calc, beside_shift, beside_rest;
  always_comb begin
    beside_rest  = timing.overlap == OVERLAP_ALL;
    beside_calc  = beside_rest || timing.overlap == OVERLAP_SHIFT_CALC && opcode == SHIFT;
    beside_shift = beside_rest || timing.overlap == OVERLAP_SHIFT_CALC && opcode == CALC;
  end

  logic others_clear;
  assign others_clear = (beside_calc || calc_left == 0) && (beside_shift || shift_left == 0)
      && (beside_rest || {rfsh_left, store_left, out_left} == '0);

  // --- what an instruction waits for in any case (3)
  logic own_clear;
  always_comb
    case (opcode)
      RFSH: own_clear = rfsh_left == 0;
      SHIFT: own_clear = shift_left == 0 && store_left == 0;
      STORE: own_clear = shift_left == 0;
      CALC: own_clear = calc_left == 0 && store_left == 0 && out_left <= timing.calc_cycles;
      OUT: own_clear = out_left == 0 && (former_results != 0 || last_results != 0 && calc_left == 0);
      default: own_clear = 1'b1;
    endcase

  assign may_start = started < timing.issue_width && pace_left == 0 && wait_left == 0 && own_clear && others_clear;

  // --- how long it then lasts, and when the sequencer is ready again
  number_t in_cycles, out_cycles, words, pace;
  always_comb begin
    words = opcode == SHIFT || opcode == OUT ? divided_up(count, WORD_STATES) : 0;
    in_cycles = words * divided_up(WORD_STATES, timing.states_in_per_cycle);
    out_cycles = words * divided_up(WORD_STATES, timing.states_out_per_cycle);
    pace = words * timing.word_cycles > timing.instruction_cycles
        ? words * timing.word_cycles : timing.instruction_cycles;
  end

  function automatic number_t less_one(number_t left);
    return left == 0 ? 0 : left - 1;
  endfunction

  always_ff @(posedge clk)
    if (clear) begin
      {rfsh_left, shift_left, store_left, calc_left, out_left, pace_left, wait_left} <= '0;
      {last_results, former_results} <= '0;
      started <= 1;
    end else if (tick) begin
      rfsh_left  <= less_one(rfsh_left);
      shift_left <= less_one(shift_left);
      store_left <= less_one(store_left);
      calc_left  <= less_one(calc_left);
      out_left   <= less_one(out_left);
      pace_left  <= less_one(pace_left);
      wait_left  <= less_one(wait_left);
      started    <= 0;
    end else if (wait_more) wait_left <= wait_left + wait_cycles;
    else if (start) begin
      started   <= started + 1;
      pace_left <= timing.paced ? pace : 0;
      case (opcode)
        RFSH: rfsh_left <= 1;
        SHIFT: shift_left <= in_cycles;
        STORE: store_left <= timing.store_cycles;
        CALC: begin
          calc_left <= timing.calc_cycles;
          former_results <= last_results;
          last_results <= neurons;
        end
        OUT: begin
          out_left <= out_cycles;
          if (former_results != 0) former_results <= former_results - count;
          else last_results <= last_results - count;
        end
        default: ;
      endcase
    end
endmodule
