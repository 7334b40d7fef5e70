"""Proves from the sessions of a run that nothing was written."""
