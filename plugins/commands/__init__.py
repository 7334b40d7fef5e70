"""Options that replace or extend a run: --list-checks, --explain, --editing, --migrate."""
