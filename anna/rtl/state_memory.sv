// The board's memory of states, of one image: SHIFT reads a word of it in each cycle, OUT writes results into it.
module state_memory
  import anna_pkg::*;
#(
    parameter int SIZE = 1
) (
    input  logic                     clk,
    input  logic                     tick,
    input  logic                     start_in,   // a SHIFT, from `address` on
    input  logic                     start_out,  // an OUT
    input  number_t                  address,
    output state_t [WORD_STATES-1:0] word,
    input  state_t [NEURONS-1:0]     results,
    input  logic [NEURONS-1:0]       moving      // which of them arrive in this cycle
);
  state_t states[SIZE];

  number_t in_address, out_address;
  always_ff @(posedge clk) begin
    if (start_in) in_address <= address;
    if (start_out) out_address <= address;
  end

  // Beyond its end there is nothing; a SHIFT of less than a word does not look there.
  always_comb
    for (int j = 0; j < WORD_STATES; j++) word[j] = in_address + j < SIZE ? states[in_address+j] : '0;

  // What arrives in a cycle can be read MEMORY_LATENCY cycles after the next.
  typedef struct packed {
    number_t address;
    state_t [NEURONS-1:0] results;
    logic [NEURONS-1:0] moving;
  } arrival_t;
  localparam int STAGES = greater(1, MEMORY_LATENCY);
  arrival_t arriving, arrived;
  arrival_t [STAGES-1:0] on_the_way;
  assign arriving = '{address: out_address, results: results, moving: moving};
  assign arrived  = MEMORY_LATENCY == 0 ? arriving : on_the_way[STAGES-1];

  always_ff @(posedge clk)
    if (tick) begin
      on_the_way[0] <= arriving;
      for (int i = 1; i < STAGES; i++) on_the_way[i] <= on_the_way[i-1];
      for (int j = 0; j < NEURONS; j++) if (arrived.moving[j]) states[arrived.address+j] <= arrived.results[j];
    end
endmodule
