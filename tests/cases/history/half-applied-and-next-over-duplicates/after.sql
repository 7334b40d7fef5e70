ALTER TABLE "User" DROP COLUMN "x";
INSERT INTO "User" ("email") VALUES ('ann@example.com'), ('ann@example.com');
