"""Measurements of impasto against a plain baseline and the hardware's floor, in one run."""
