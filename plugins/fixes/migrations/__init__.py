"""Fixes of the migrations directory, and SQL that creates a missing history."""
