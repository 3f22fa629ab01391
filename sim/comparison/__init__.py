"""Measures what the chip costs a network: arms, layers, and the ledger of losses."""
