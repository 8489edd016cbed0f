"""The optimisers, and recovery from their failures."""
