"""Faults that only the functions' logs tell of."""
