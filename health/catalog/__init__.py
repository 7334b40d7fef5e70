"""What a schema holds: every object with its definition, and what a migration changes in it."""
