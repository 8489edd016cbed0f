"""Records and checkpoints: written, read and checked."""
