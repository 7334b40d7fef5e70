"""prisma."""
