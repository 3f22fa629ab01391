"""Float networks: the layer vocabulary, graphs, their file, their drawing, and the forward pass."""
