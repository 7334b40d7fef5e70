"""Names from outside steer nothing, whoever gave them."""
