-- Guarded: does nothing where the column is already there.

-- AlterTable
ALTER TABLE "Entity" ADD COLUMN IF NOT EXISTS "data" JSONB NOT NULL DEFAULT '{}';
