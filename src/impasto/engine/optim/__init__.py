"""The optimisers, and what keeps them healthy."""
