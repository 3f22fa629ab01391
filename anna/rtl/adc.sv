// A converter: scales by comparing with the thresholds of a scale code; a sum's code is how many of them are at or below it.
module adc
  import anna_pkg::*;
(
    input  sum_t   sum,
    input  scale_t scale,
    output state_t code
);
  always_comb begin
    code = '0;
    for (int j = 0; j < THRESHOLDS_EACH; j++)
      if (THRESHOLDS[32'(scale)*THRESHOLDS_EACH+j] <= sum) code = code + state_t'(1);
  end
endmodule
