"""All reading and writing of files: pictures, films, weights, records. Writes are atomic."""
