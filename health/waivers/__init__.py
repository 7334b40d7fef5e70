"""waivers."""
