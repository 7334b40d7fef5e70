"""What the next deploy will do: failures, locks, and constraints on existing rows."""
