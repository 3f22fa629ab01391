"""The results that users hold: they print and plot themselves."""
