"""Faults of the deployed layer."""
