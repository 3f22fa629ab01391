"""What every experiment stands on: cores, provenance, statistics."""
