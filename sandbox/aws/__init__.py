"""The sandbox's AWS: moto behind a proxy, with the resources of two stages."""
