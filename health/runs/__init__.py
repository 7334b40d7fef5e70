"""Runs of the migrations: those that Frigg recorded, and the one that --migrate started."""
