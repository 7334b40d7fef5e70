"""Compares the live schema with the applied migrations, and sequences with their columns."""
