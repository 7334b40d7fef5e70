"""The embedded environment behind ``--env=local``: a program of its own, with everything that a stage has."""
