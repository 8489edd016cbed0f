"""The arithmetic: plain functions from tensors to tensors. Opens nothing, prints nothing."""
