// The array: weights and scale codes as RFSH writes them, and for each neuron of a CALC the exact sum of its products.
module synapses
  import anna_pkg::*;
(
    input  logic                 clk,
    input  logic                 refresh,      // at the end of an RFSH
    input  number_t              pair,
    input  weight_t [DACS-1:0]   new_weights,  // at the weight port: one for each DAC
    input  scale_t [GROUPS-1:0]  new_scales,   // and the scale codes of their row
    input  row_t [LATCHES-1:0]   latches,
    input  logic                 take,         // in the last cycle of a CALC
    input  number_t              fan_in,
    input  number_t              first_row,
    input  number_t              first_latch,
    input  number_t              neurons,
    output sum_t [NEURONS-1:0]   sums,
    output scale_t [NEURONS-1:0] scales
);
  localparam number_t PAIRS_OF_ROW = COLUMNS / DACS;
  localparam number_t GROUP_COUNT = GROUPS;
  localparam number_t SLICE_COLUMNS = SLICE;
  localparam number_t MOST_SLICES = FAN_INS[FAN_IN_COUNT-1] / SLICE;
  localparam number_t COLUMN_COUNT = COLUMNS;

  weight_t [COLUMNS-1:0] weights[ROWS];
  scale_t [GROUPS-1:0] row_scales[ROWS];

  always_ff @(posedge clk)
    if (refresh) begin
      for (int d = 0; d < DACS; d++)
        weights[pair/PAIRS_OF_ROW][(pair%PAIRS_OF_ROW)*DACS+d] <= new_weights[d];
      row_scales[pair/PAIRS_OF_ROW] <= new_scales;
    end

  // Half state LSBs times half weight LSBs of a slice: the current on its wire.
  function automatic int slice_sum(weight_t [COLUMNS-1:0] w, row_t s, number_t first);
    int total = 0;
    for (int c = 0; c < SLICE; c++)
      total += (2 * 32'(w[first+c]) - WEIGHT_MIDDLE) * (2 * 32'(s[first+c]) - STATE_MIDDLE);
    return total;
  endfunction

  // The slices of neuron k are those after the slices of neuron k - 1, row by row from the first row on.
  number_t slices, rows_of_neuron;
  assign slices = fan_in / SLICE_COLUMNS;
  assign rows_of_neuron = fan_in > COLUMN_COUNT ? fan_in / COLUMN_COUNT : 1;

  function automatic sum_t neuron_sum(number_t k);
    sum_t total = 0;
    for (number_t n = 0; n < MOST_SLICES; n++)
      if (n < slices) begin
        number_t row = (k * slices + n) / GROUP_COUNT;
        number_t group = (k * slices + n) % GROUP_COUNT;
        total += sum_t'(slice_sum(weights[first_row+row], latches[first_latch+row%rows_of_neuron], group * SLICE_COLUMNS));
      end
    return total <<< (FRACTION_BITS - 1);
  endfunction

  always_comb begin
    sums   = '0;
    scales = '0;
    if (take)
      for (number_t k = 0; k < NEURONS; k++)
        if (k < neurons) begin
          sums[k] = neuron_sum(k);
          scales[k] = row_scales[first_row+k*slices/GROUP_COUNT][(k*slices)%GROUP_COUNT];
        end
  end
endmodule
