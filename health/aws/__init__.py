"""The environment in AWS: account, secret, cluster, bastion, security groups and functions."""
