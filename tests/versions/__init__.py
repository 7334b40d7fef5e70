"""Every major version of PostgreSQL from 13 on: two in the pipeline, all six with ``--full``."""
