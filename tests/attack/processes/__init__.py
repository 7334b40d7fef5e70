"""Killed at any moment, nothing stays: processes, listeners, memory, directories, databases."""
