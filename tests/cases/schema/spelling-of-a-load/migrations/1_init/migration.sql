CREATE TABLE "Entity" ("id" SERIAL PRIMARY KEY, "data" JSONB NOT NULL DEFAULT '{}');
CREATE TABLE "Ticket" (
    "id" SERIAL PRIMARY KEY, "state" VARCHAR(9) CHECK ("state" IN ('open', 'closed')), "title" TEXT DEFAULT 'new'
);
CREATE INDEX "Ticket_open" ON "Ticket" ("id") WHERE "state" NOT IN ('closed', 'gone');
CREATE VIEW "Waiting" AS SELECT "id" FROM "Ticket" WHERE "state" IN ('open', 'late');
CREATE POLICY "waiting" ON "Ticket" USING ("state" IN ('open', 'late'));
CREATE DOMAIN "Kind" AS VARCHAR(9) CHECK (VALUE IN ('a', 'b'));
