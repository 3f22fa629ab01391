"""Training, in PyTorch where it is installed: recipes, optimisers, distortions, chip in the loop."""
