"""What ran on the boards beside the recogniser, in floats and on drawn chips, with the time that a board takes."""
