"""Fixes of the live schema: restores objects, and Frigg's column Entity.data."""
