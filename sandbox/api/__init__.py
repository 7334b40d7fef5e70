"""The sandbox's Frigg migration API and its runs."""
