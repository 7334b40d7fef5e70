"""Compares the migrations in the deployed Lambda layer with the checkout."""
