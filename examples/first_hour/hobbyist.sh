#!/bin/sh
# Somebody with a laptop who wants a picture to hang: photo.jpg, and a folder of paintings.
set -e
impasto stylize photo.jpg paintings/ --each --quality instant -o tries/     # a sheet to choose from
impasto stylize photo.jpg paintings/one.jpg -o one.png                      # the one that is liked
impasto stylize photo.jpg paintings/one.jpg --strength 0.4 -o milder.png
impasto stylize photo.jpg paintings/one.jpg --style-scale 2 -o broader.png
impasto stylize photo.jpg paintings/one.jpg --seeds 1-3 -o seeds/
impasto stylize photo.jpg paintings/one.jpg --print 20x20cm --dpi 150 --crop-preview -o print.png
impasto stylize photo.jpg paintings/one.jpg --size 1000x600 --fit crop -o cover.jpg
impasto reproduce one.png -o again.png --style paintings/one.jpg
