"""Everything that touches a disk: pictures, weights, records. Writes are atomic."""
