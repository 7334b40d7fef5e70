"""Runs the checks: options, facts as fixtures, judgements, rehearsals, record, exit status."""
