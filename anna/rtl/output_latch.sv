// The output latch: the results of one CALC, which OUT moves to the output pins word by word.
module output_latch
  import anna_pkg::*;
(
    input  logic                 clk,
    input  logic                 tick,
    input  logic                 clear,
    input  number_t              states_per_cycle,
    input  logic                 take,        // in the last cycle of a CALC
    input  state_t [NEURONS-1:0] codes,
    input  logic                 start,
    input  number_t              new_count,   // results of the OUT that starts
    output state_t [NEURONS-1:0] out_states,  // results of this OUT, the first in the lowest bits
    output logic [NEURONS-1:0]   moving,      // which of them leave in this cycle
    output logic                 busy
);
  number_t left;   // cycles of this OUT
  number_t count;  // results of it
  number_t moved;  // in the cycles before
  number_t first;  // which result of the latch is its first
  number_t taken;  // results of the latch that OUTs have taken so far, this one included
  state_t [NEURONS-1:0] held;

  assign busy = left != 0;
  assign out_states = held >> (first * STATE_BITS);

  always_comb
    for (int j = 0; j < NEURONS; j++)
      moving[j] = busy && j < count && j >= moved && j < moved + states_per_cycle;

  always_ff @(posedge clk) begin
    if (clear) begin
      left  <= 0;
      taken <= 0;
    end else if (start) begin
      left <= divided_up(new_count, WORD_STATES) * divided_up(WORD_STATES, states_per_cycle);
      count <= new_count;
      moved <= 0;
      first <= taken;
      taken <= taken + new_count;
    end else if (tick && busy) begin
      left  <= left - 1;
      moved <= moved + states_per_cycle;
    end
    if (tick && take) begin
      held  <= codes;
      taken <= 0;
    end
  end
endmodule
