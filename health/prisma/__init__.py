"""How Prisma's schema engine behaves: checksums, order, lock file, versions, and how it sends a file."""
