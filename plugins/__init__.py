"""The pytest plugins of the suite."""
