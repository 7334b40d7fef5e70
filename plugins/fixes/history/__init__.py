"""Fixes of the history: rows of _prisma_migrations, as SQL or by prisma migrate resolve."""
