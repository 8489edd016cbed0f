"""Benchmarks of impasto, compared with a plain baseline and the hardware's floor in one run."""
