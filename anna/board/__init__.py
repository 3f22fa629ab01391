"""The board's host processor: what it prepares, what it computes in float, and how long that takes."""
