"""What is minimised, whole or in tiles."""
