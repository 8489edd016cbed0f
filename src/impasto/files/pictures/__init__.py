"""Pictures in and out: formats, depth, colour profiles, transparency."""
