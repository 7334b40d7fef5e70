"""Interprets the functions' log lines: patterns of Prisma, Frigg and Lambda, and their causes."""
