"""The sandbox's PostgreSQL: history, deploys, a pooler, a read replica, an extension."""
