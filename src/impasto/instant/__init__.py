"""Feed-forward stylization with any painting: hypercolumns, balanced matching, a decoder.

After the idea of NNST-D (Kolkin et al., *Neural Neighbor Style Transfer*, 2022, arXiv 2203.13215):
every position of the photograph takes the features of the painting's nearest one, and a small
network paints them.
"""
