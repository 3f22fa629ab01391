"""The measuring bench: what a chip's pins tell of its analog parts, and how a program is trimmed to one chip."""
