UPDATE "_prisma_migrations" SET "logs" = NULL, "started_at" = now() - interval '2 minutes' WHERE "migration_name" = '2_half';
