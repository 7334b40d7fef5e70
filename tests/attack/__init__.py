"""Attacks on the promises of the README: each package tries to break one."""
