#!/bin/sh
# Somebody who wants the report's experiments and their numbers, and then experiments of their own.
set -e
impasto stylize photo.jpg painting.jpg --method report -o report.png        # eqs. (1) to (7), L-BFGS
impasto show report.png --plot curve.svg --csv losses.csv
impasto summary vgg19
impasto experiments list
impasto experiments run figure14 --preset quick --content photo.jpg --style painting.jpg --out figure14
impasto experiments run --from smoothing.py --preset quick --content photo.jpg --style painting.jpg --out own
impasto sweep --vary alpha/beta=1e-1,1e-3 --vary init=noise,content --content photo.jpg --style painting.jpg
impasto measure report.png -c photo.jpg -s painting.jpg --json
