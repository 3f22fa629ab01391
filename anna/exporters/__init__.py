"""Compiled networks for other tools: an ONNX model of integers with known answers, and the check of somebody's answers."""
