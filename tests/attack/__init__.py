"""Attacks on what the README promises, by the promise."""
