"""The way to the database: the tunnel script, the bastion, the SSH key and the login."""
