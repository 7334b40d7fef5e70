-- Sorts before 2_init by its bytes and after it by localeCompare: it needs the table that 2_init makes.
ALTER TABLE "Entity" ADD COLUMN "data" JSONB NOT NULL DEFAULT '{}';
