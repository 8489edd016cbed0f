"""From a recipe and files to finished results: stills, films, and a record carried out again."""
