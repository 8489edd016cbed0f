"""How good a trained network is: its loss in L-BFGS iterations, as Johnson et al. (2016) count.

For each photograph the network's picture is judged by eq. (7) with the weights that it was trained
for; then L-BFGS starts from that photograph and minimises the same. The figure is the number of
iterations after which its loss is as low. Photographs should be such as the network has not seen.

    python -m benchmarks.feedforward painting.safetensors painting.jpg photos/*.jpg
"""
