"""The compiled extension, its C, and the exact arithmetic it shares with NumPy."""
