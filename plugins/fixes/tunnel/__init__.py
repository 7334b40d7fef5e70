"""Fixes of the way to the database: patches of the tunnel script, and what AWS has to change."""
