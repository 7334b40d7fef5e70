"""SQL scripts as text: their statements, properties of single statements, and the errors of a run."""
