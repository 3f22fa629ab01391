// The barrel shifter: moves states to the left by up to a word and takes new ones from the input pins at its right end.
module shifter
  import anna_pkg::*;
(
    input  logic                     clk,
    input  logic                     tick,        // ends a cycle
    input  logic                     clear,       // begins a page segment
    input  state_t                   reset_state,
    input  number_t                  states_per_cycle,
    input  logic                     from_shifter,
    input  logic                     start,
    input  number_t                  new_count,   // states of the SHIFT that starts
    input  number_t                  new_source,  // 0: the shifter itself; k + 1: register k
    input  row_t [REGISTERS-1:0]     registers,
    input  state_t [WORD_STATES-1:0] word,        // at the pins, from the address of the SHIFT on
    output row_t                     states,
    output logic                     busy
);
  localparam number_t COLUMN_COUNT = COLUMNS;

  number_t left;   // cycles
  number_t count;  // states of this SHIFT
  number_t first;  // state that is read in this cycle, and those after it
  number_t source;
  state_t [WORD_STATES-1:0] arrived;  // in the cycles before
  state_t [WORD_STATES-1:0] incoming; // with those of this cycle

  assign busy = left != 0;

  always_comb begin
    incoming = arrived;
    for (int j = 0; j < WORD_STATES; j++)
      if (j >= first && j < first + states_per_cycle) incoming[j] = word[j];
  end

  // What is shifted, and what comes of it.
  row_t base, shifted;
  always_comb begin
    base = states;
    if (!from_shifter)
      for (int k = 0; k < REGISTERS; k++) if (source == k + 1) base = registers[k];
    shifted = base >> (count * STATE_BITS);
    for (int j = 0; j < WORD_STATES; j++)
      if (j < count) shifted[COLUMN_COUNT-count+j] = incoming[j];
  end

  always_ff @(posedge clk)
    if (clear) begin
      left   <= 0;
      states <= {COLUMNS{reset_state}};
    end else if (start) begin
      left   <= divided_up(WORD_STATES, states_per_cycle);
      count  <= new_count;
      source <= new_source;
      first  <= 0;
    end else if (tick && busy) begin
      left    <= left - 1;
      first   <= first + states_per_cycle;
      arrived <= incoming;
      if (left == 1) states <= shifted;
    end
endmodule
