"""Networks' weights: the bundled one, downloads, imports."""
