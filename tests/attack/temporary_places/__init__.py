"""Places that others can write to, prepared by another user."""
