"""The migrations directory as the deploying command reads it."""
