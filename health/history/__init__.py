"""Judges _prisma_migrations against the migrations directory, by Prisma's own rules."""
