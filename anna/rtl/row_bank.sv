// Rows of states that STORE sets: the registers of the state storage, and the latches that the array reads.
module row_bank
  import anna_pkg::*;
#(
    parameter int SIZE = 1
) (
    input  logic            clk,
    input  logic            clear,
    input  state_t          reset_state,
    input  logic [SIZE-1:0] write,  // which of them take the shifter's states
    input  row_t            states,
    output row_t [SIZE-1:0] rows
);
  always_ff @(posedge clk)
    for (int k = 0; k < SIZE; k++)
      if (clear) rows[k] <= {COLUMNS{reset_state}};
      else if (write[k]) rows[k] <= states;
endmodule
