"""Faults of AWS: credentials, rights, the secret, the functions' variables, clusters and security groups."""
