// The bench: fills the memories of a machine from a folder, runs it image by image, and says whether all is as expected.
module bench
  import anna_pkg::*;
;
  localparam int STATES = WINDOW_STATES;
  localparam longint CYCLE_PS = CLOCK_PS;
  localparam int PATIENCE = 1 << 25;  // clocks without an instruction: longer than any WAIT

  logic clk = 0, reset = 1;
  settings_t settings;
  logic tick, start, loading, segment_ended, load_ended, done, calc_ends;
  number_t cycle, calc_neurons;
  state_t [NEURONS-1:0] calc_codes;
  anna #(.PAGES(MAX_PAGES), .STATES(STATES)) anna (.*);

  string folder, waveforms;
  int images, differences, silent;
  int starts_file, calcs_file, segments_file;  // 0 where nothing is expected
  longint run_cycles, load_cycles, compared;
  longint boundary_ps;                         // when this cycle of the chip ends

  // --- reading

  function automatic int opened(string name);
    int file;
    file = $fopen({folder, "/", name}, "r");
    return file;
  endfunction

  // settings.hex has a number in a line, in this order.
  function automatic void read_settings();
    number_t numbers[12];
    $readmemh({folder, "/settings.hex"}, numbers);
    images = int'(numbers[0]);
    settings.timing.overlap = overlap_t'(2'(numbers[1]));
    settings.timing.issue_width = numbers[2];
    settings.timing.paced = 1'(numbers[3]);
    settings.timing.instruction_cycles = numbers[4];
    settings.timing.word_cycles = numbers[5];
    settings.timing.calc_cycles = numbers[6];
    settings.timing.store_cycles = numbers[7];
    settings.timing.states_in_per_cycle = numbers[8];
    settings.timing.states_out_per_cycle = numbers[9];
    settings.from_shifter = 1'(numbers[10]);
    settings.reset_state = state_t'(numbers[11]);
  endfunction

  // --- comparing

  function automatic void compare(string what, longint got, int file);
    longint expected;
    if (file == 0) return;
    compared++;
    if ($fscanf(file, "%d", expected) != 1) expected = -1;
    if (got == expected) return;
    differences++;
    if (differences <= 20) $display("DIFFERENT: %s is %0d, expected %0d (cycle %0d)", what, got, expected, cycle);
  endfunction

  function automatic void nothing_left(string what, int file);
    longint more;
    if (file == 0) return;
    if ($fscanf(file, "%d", more) == 1) begin
      differences++;
      $display("DIFFERENT: %s end early, expected %0d", what, more);
    end
    $fclose(file);
  endfunction

  // Lines of an address and the state that must be there.
  function automatic void compare_memory(int file);
    number_t at;
    if (file == 0) return;
    while ($fscanf(file, "%d", at) == 1) compare($sformatf("state %0d", at), longint'(anna.memory.states[at]), file);
    $fclose(file);
  endfunction

  // What the next edge of the clock does.
  task automatic observe();
    silent = start ? 0 : silent + 1;
    if (silent > PATIENCE) $fatal(1, "FAIL: no instruction for %0d clocks", PATIENCE);
    if (start && !loading) compare("start of an instruction", longint'(cycle), starts_file);
    if (calc_ends)
      for (number_t k = 0; k < calc_neurons; k++)
        compare($sformatf("code of neuron %0d", k), longint'(calc_codes[k]), calcs_file);
    if (load_ended) begin
      load_cycles += longint'(cycle);
      compare("length of a load", longint'(cycle), segments_file);
    end
    if (segment_ended) begin
      run_cycles += longint'(cycle);
      compare("length of a segment", longint'(cycle), segments_file);
    end
  endtask

  // --- running

  // Steps of the sequencer take two picoseconds, and so do page loads: a cycle of the image ends after CYCLE_PS each.
  task automatic clock();
    #1;
    if (tick && !loading && !reset && !done) begin
      if (boundary_ps > $time) #(boundary_ps - $time);
      boundary_ps = boundary_ps + CYCLE_PS;
    end
    if (!reset && !done) observe();
    clk = 1;
    #1 clk = 0;
  endtask

  initial begin
    if ($value$plusargs("program=%s", folder) == 0) folder = "program";
    read_settings();
    $readmemh({folder, "/words.hex"}, anna.words);
    $readmemh({folder, "/weights.hex"}, anna.pages.pairs);
    $readmemh({folder, "/scales.hex"}, anna.pages.rows);
    if ($value$plusargs("trace=%s", waveforms) != 0) begin
      $dumpfile(waveforms);
      $dumpvars(0, bench);
    end
    for (int image = 0; image < images; image++) begin
      for (int i = 0; i < STATES; i++) anna.memory.states[i] = '1;
      $readmemh({folder, $sformatf("/memory_%0d.hex", image)}, anna.memory.states);
      starts_file = opened("starts.txt");
      segments_file = opened("segments.txt");
      calcs_file = opened($sformatf("calcs_%0d.txt", image));
      run_cycles = 0;
      load_cycles = 0;
      boundary_ps = longint'($time) + CYCLE_PS;
      reset = 1;
      clock();
      reset = 0;
      while (!done) clock();
      repeat (MEMORY_LATENCY + 1) clock();
      nothing_left("instructions", starts_file);
      nothing_left("segments", segments_file);
      nothing_left("codes", calcs_file);
      compare_memory(opened($sformatf("states_%0d.txt", image)));
      $display("image %0d: %0d cycles, %0d of page loads", image, run_cycles, load_cycles);
    end
    if (differences != 0) $fatal(1, "FAIL: %0d differences in %0d comparisons", differences, compared);
    if (compared == 0) $display("DONE: nothing to compare with");
    else $display("PASS: %0d comparisons", compared);
    $finish;
  end
endmodule
