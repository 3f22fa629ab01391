"""Sweeps: many points over chip, electronics, compiler and network, each on several drawn chips, into one database."""
