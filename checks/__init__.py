"""The invariants of an environment, one test each; a test's docstring is its public documentation."""
