"""Compares a run with the nights before it."""
