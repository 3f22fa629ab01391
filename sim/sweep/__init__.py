"""Sweeps: many points of chip, analog and compiler parameters, each on several drawn chips, into one database."""
