"""Answers --editing: may a migration's SQL be edited, and how."""
