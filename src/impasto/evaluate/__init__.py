"""What a finished result is like: figures, and blind comparisons."""
