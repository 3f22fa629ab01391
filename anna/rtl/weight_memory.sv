// The board's memory of weights: pages of pairs and of scale codes, one pair of which stands at the chip's weight port.
module weight_memory
  import anna_pkg::*;
#(
    parameter int PAGES = 1
) (
    input  number_t             page,
    input  number_t             pair,
    output weight_t [DACS-1:0]  weights,
    output scale_t [GROUPS-1:0] scales  // of the pair's row
);
  localparam number_t PAIRS_OF_ROW = COLUMNS / DACS;

  weight_t [DACS-1:0] pairs[PAGES*PAIRS];
  scale_t [GROUPS-1:0] rows[PAGES*ROWS];

  assign weights = pairs[page*PAIRS+pair];
  assign scales  = rows[page*ROWS+pair/PAIRS_OF_ROW];
endmodule
