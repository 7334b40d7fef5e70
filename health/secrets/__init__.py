"""Finds and masks secrets in texts, in every encoding."""
