"""Attacks on the promises of this suite, as somebody who wants to break them."""
