// Rows of states that STORE sets: the registers of the state storage, and the latches that the array reads.
module row_bank
  import anna_pkg::*;
#(
    parameter int SIZE = 1
) (
    input  logic            clk,
    input  logic            tick,
    input  logic            clear,
    input  state_t          reset_state,
    input  number_t         store_cycles,
    input  logic            start,    // a STORE
    input  logic [SIZE-1:0] members,  // rows that take the shifter's states at its end
    input  row_t            states,   // the shifter's, which no SHIFT moves before that
    output row_t [SIZE-1:0] rows,
    output logic            busy
);
  // Of each row, cycles until it is set. A STORE need not wait for the one before, which copies the same states.
  number_t [SIZE-1:0] left;
  assign busy = left != '0;

  always_ff @(posedge clk)
    for (int k = 0; k < SIZE; k++)
      if (clear) begin
        left[k] <= 0;
        rows[k] <= {COLUMNS{reset_state}};
      end else if (start && members[k] && left[k] == 0) left[k] <= store_cycles;
      else if (tick && left[k] != 0) begin
        left[k] <= left[k] - 1;
        if (left[k] == 1) rows[k] <= states;
      end
endmodule
