CREATE EXTENSION IF NOT EXISTS "ltree";
ALTER TABLE "Category" ADD COLUMN "path" LTREE;
CREATE INDEX "Category_path_idx" ON "Category" USING GIST ("path");
ALTER TABLE "Category" ADD CONSTRAINT "Category_depth" CHECK (nlevel("path") < 9);
