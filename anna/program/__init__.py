"""What the chip runs: the instruction table, the text form, and the .anna file."""
