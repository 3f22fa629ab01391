"""Loads the networks and images that a command or caller names."""
