"""Experiments on the chip and the networks, and the command line."""
