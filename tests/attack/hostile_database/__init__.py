"""The database of the environment belongs to somebody who wants code of theirs to run in our session."""
