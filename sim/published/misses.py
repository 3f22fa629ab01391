"""Why a prediction misses: which assumption fails. Written after the run; every miss is here, and nothing else."""

REASONS: dict[str, str] = {}
