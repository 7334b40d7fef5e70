"""A driver of Prisma Migrate's real engine, both generations, for tests that compare with it."""
