"""Reading and writing pictures: formats, depth, colour profiles, transparency."""
