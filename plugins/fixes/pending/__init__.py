"""Fixes of pending migrations."""
