"""Evaluating finished results: measurements, and blind comparisons."""
