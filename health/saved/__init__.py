"""A run's facts in a file, and what a replay of them needs."""
