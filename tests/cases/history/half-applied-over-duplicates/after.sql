ALTER TABLE "Order" ADD COLUMN "note" TEXT;
INSERT INTO "User" ("email") VALUES ('ann@example.com'), ('ann@example.com'), ('bob@example.com');
