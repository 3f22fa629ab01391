// The machine: sequencer, chip, and the memories of the board, which whoever runs it fills.
// Its signals have the names of `anna trace --vcd`.
module anna
  import anna_pkg::*;
#(
    parameter int PAGES  = 1,
    parameter int STATES = 1   // of the window of an image
) (
    input  logic                 clk,
    input  logic                 reset,
    input  settings_t            settings,
    output logic                 tick,
    output logic                 start,      // an instruction starts
    output logic                 loading,    // it belongs to the load of a page
    output number_t              cycle,      // of the segment or of the load
    output logic                 segment_ended,
    output logic                 load_ended,
    output logic                 done,
    output logic                 calc_ends,  // with this tick
    output number_t              calc_neurons,
    output state_t [NEURONS-1:0] calc_codes
);
  word_t words[PROGRAM_WORDS];  // of the program's file

  logic clear;
  pins_t pins;
  chip_opcode_t opcode;
  place_t place;
  number_t address, page;
  sequencer the_sequencer (
      .clk, .reset, .timing(settings.timing), .word(words[place]), .place, .tick, .clear, .start, .pins, .opcode,
      .address, .page, .loading, .cycle, .segment_ended, .load_ended, .done
  );

  number_t pair;
  weight_t [DACS-1:0] weights_in;
  scale_t [GROUPS-1:0] scales_in;
  weight_memory #(.PAGES(PAGES)) pages (.page, .pair, .weights(weights_in), .scales(scales_in));

  state_t [WORD_STATES-1:0] word_in;
  state_t [NEURONS-1:0] states_out;
  logic [NEURONS-1:0] moving;
  state_memory #(.SIZE(STATES)) memory (
      .clk, .tick, .address, .word(word_in), .results(states_out), .moving,
      .start_in(start && opcode == SHIFT), .start_out(start && opcode == OUT)
  );

  // --- the chip; much of what it shows is for waveforms only
  /* verilator lint_off UNUSEDSIGNAL */
  row_t shifter;
  row_t [REGISTERS-1:0] registers;
  row_t [LATCHES-1:0] latches;
  state_t [NEURONS-1:0] neurons;
  logic input_busy, store_busy, array_busy, output_busy, weights_busy;
  row_t register[REGISTERS];
  row_t latch[LATCHES];
  state_t neuron[NEURONS];
  number_t calc;  // number of the last CALC
  /* verilator lint_on UNUSEDSIGNAL */
  anna_chip chip (
      .clk, .tick, .clear, .settings, .start, .pins, .word_in, .weights_in, .scales_in, .pair, .states_out, .moving,
      .shifter, .registers, .latches, .neurons, .calc_ends, .calc_neurons, .calc_codes,
      .weights_busy, .input_busy, .store_busy, .array_busy, .output_busy
  );

  for (genvar k = 0; k < REGISTERS; k++) begin : show_registers
    assign register[k] = registers[k];
  end
  for (genvar k = 0; k < LATCHES; k++) begin : show_latches
    assign latch[k] = latches[k];
  end
  for (genvar k = 0; k < NEURONS; k++) begin : show_neurons
    assign neuron[k] = neurons[k];
  end
  always_ff @(posedge clk)
    if (reset) calc <= '1;
    else if (start && !loading && opcode == CALC) calc <= calc + 1;
endmodule
