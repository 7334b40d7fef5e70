"""Parses --clone and chooses a PostgreSQL server for clones."""
