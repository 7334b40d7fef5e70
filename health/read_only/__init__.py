"""read_only."""
