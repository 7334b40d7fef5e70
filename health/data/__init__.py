"""Judges the application's rows: SQL invariants and rows without a parent."""
