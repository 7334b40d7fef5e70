"""A gate never passes unchecked."""
