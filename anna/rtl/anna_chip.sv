// The chip: an instruction enters at its pins when it starts, and each unit works through the cycles that follow.
module anna_chip
  import anna_pkg::*;
(
    input  logic                     clk,
    input  logic                     tick,        // ends a cycle; between ticks no time passes
    input  logic                     clear,       // begins a page segment
    input  settings_t                settings,
    input  logic                     start,       // an instruction starts in this cycle
    input  pins_t                    pins,
    input  state_t [WORD_STATES-1:0] word_in,
    input  weight_t [DACS-1:0]       weights_in,  // of the pair that is refreshed, and of its row
    input  scale_t [GROUPS-1:0]      scales_in,
    output number_t                  pair,
    output state_t [NEURONS-1:0]     states_out,
    output logic [NEURONS-1:0]       moving,      // which of them are on their way in this cycle
    output row_t                     shifter,
    output row_t [REGISTERS-1:0]     registers,
    output row_t [LATCHES-1:0]       latches,
    output state_t [NEURONS-1:0]     neurons,     // what each converter has last converted
    output logic                     calc_ends,   // with this tick
    output number_t                  calc_neurons,
    output state_t [NEURONS-1:0]     calc_codes,
    output logic                     weights_busy,
    output logic                     input_busy,
    output logic                     store_busy,
    output logic                     array_busy,
    output logic                     output_busy
);
  chip_op_t op;
  pin_decoder decoder (.pins, .op);

  // --- RFSH: a cycle
  number_t weights_left;
  assign weights_busy = weights_left != 0;
  always_ff @(posedge clk)
    if (clear) weights_left <= 0;
    else if (start && op.opcode == RFSH) begin
      weights_left <= 1;
      pair <= op.pair;
    end else if (tick && weights_busy) weights_left <= weights_left - 1;

  // --- SHIFT
  shifter the_shifter (
      .clk, .tick, .clear, .registers, .reset_state(settings.reset_state), .from_shifter(settings.from_shifter),
      .states_per_cycle(settings.timing.states_in_per_cycle), .start(start && op.opcode == SHIFT),
      .new_count(op.count), .new_source(op.source), .word(word_in), .states(shifter), .busy(input_busy)
  );

  // --- STORE
  logic stores, registers_busy, latches_busy;
  assign stores = start && op.opcode == STORE;
  assign store_busy = registers_busy || latches_busy;
  row_bank #(.SIZE(REGISTERS)) state_storage (
      .clk, .tick, .clear, .reset_state(settings.reset_state), .store_cycles(settings.timing.store_cycles),
      .start(stores), .members(op.registers), .states(shifter), .rows(registers), .busy(registers_busy)
  );
  row_bank #(.SIZE(LATCHES)) array_latches (
      .clk, .tick, .clear, .reset_state(settings.reset_state), .store_cycles(settings.timing.store_cycles),
      .start(stores), .members(op.latches), .states(shifter), .rows(latches), .busy(latches_busy)
  );

  // --- CALC: the converters' codes are taken in its last cycle
  number_t calc_left;
  number_t fan_in, first_row, first_latch;  // of the CALC under way
  logic take;
  sum_t [NEURONS-1:0] sums;
  scale_t [NEURONS-1:0] scales;
  assign array_busy = calc_left != 0;
  assign take = calc_left == 1;
  assign calc_ends = tick && take;
  always_ff @(posedge clk)
    if (clear) calc_left <= 0;
    else if (start && op.opcode == CALC) begin
      calc_left <= settings.timing.calc_cycles;
      fan_in <= FAN_INS[op.fan_in];
      first_row <= op.row;
      first_latch <= op.latch;
      calc_neurons <= op.neurons;
    end else if (tick && array_busy) calc_left <= calc_left - 1;

  synapses array (
      .clk, .pair, .latches, .take, .sums, .scales, .fan_in, .first_row, .first_latch, .neurons(calc_neurons),
      .refresh(tick && weights_busy), .new_weights(weights_in), .new_scales(scales_in)
  );
  for (genvar k = 0; k < NEURONS; k++) begin : converters
    adc converter (.sum(sums[k]), .scale(scales[k]), .code(calc_codes[k]));
  end

  // What the converters show after a CALC; those that it does not use keep what they had.
  always_ff @(posedge clk)
    if (calc_ends)
      for (number_t k = 0; k < NEURONS; k++) if (k < calc_neurons) neurons[k] <= calc_codes[k];

  // --- OUT
  output_latch results (
      .clk, .tick, .clear, .take, .codes(calc_codes), .states_per_cycle(settings.timing.states_out_per_cycle),
      .start(start && op.opcode == OUT), .new_count(op.count), .out_states(states_out), .moving, .busy(output_busy)
  );
endmodule
