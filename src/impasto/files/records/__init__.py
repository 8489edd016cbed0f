"""Records and checkpoints: written, read back and checked."""
