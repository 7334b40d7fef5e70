"""Accepted findings: parses waivers.toml and matches waivers with findings."""
