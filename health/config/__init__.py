"""The settings of the environments: parses environments.toml."""
