"""Interprets Frigg's migration API and compares it with the database."""
