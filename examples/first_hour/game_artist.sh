#!/bin/sh
# Somebody who makes a game: tiles, sprites with transparency, frames, the same look for a folder.
set -e
impasto texture paintings/ --each --size 256 --tileable -o tiles/
impasto texture paintings/one.jpg --size 256x128 --tileable --seeds 1-3 -o variants/
impasto stylize sprites/ paintings/one.jpg --name '{photo}' -o painted/     # same names, alpha kept
impasto video walk/ paintings/one.jpg --quality instant -o walk_painted/    # frames keep their names
impasto stylize sprites/ paintings/one.jpg --name '{photo}' -o painted/ --json --quiet
impasto sweep --vary style=paintings/one.jpg,paintings/two.jpg --content photo.jpg --out looks
