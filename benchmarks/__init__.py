"""Measure generated derivatives beside hand-written ones: `python -m benchmarks --help`."""
