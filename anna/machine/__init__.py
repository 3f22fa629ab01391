"""The machine: the interpreter, lock-step, and the chip that a user runs programs on."""
