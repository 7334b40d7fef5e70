"""Where an application keeps its Prisma schema and migrations: judgements on the contents of its files."""
