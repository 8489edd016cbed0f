"""How the bundled network ``compact`` was made.

``python -m training.distill`` trains it, ``python -m training.fidelity`` measures its errors.
"""
