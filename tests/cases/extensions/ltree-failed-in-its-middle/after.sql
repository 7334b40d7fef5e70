CREATE EXTENSION "ltree";
ALTER TABLE "Category" ADD COLUMN "path" LTREE;
INSERT INTO "Category" ("name", "path") VALUES ('top', 'top'), ('below', 'top.below');
