"""Benchmarks: they print ratios, and no test depends on them."""
