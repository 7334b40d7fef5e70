"""Writes the record: terminal, report files, progress."""
