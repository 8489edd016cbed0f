"""Every automatic choice, and what a run will take."""
