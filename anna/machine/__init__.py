"""The machine: control plane, interpreter, engine, and the chip that a user holds."""
