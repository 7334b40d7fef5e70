"""Tests of ci/: starting, installing, handing over."""
