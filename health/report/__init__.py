"""The record of a run, its root causes, and the record as text."""
