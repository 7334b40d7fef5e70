ALTER TABLE "Team" RENAME TO "Squad";
ALTER TABLE "Squad" RENAME COLUMN "name" TO "title";