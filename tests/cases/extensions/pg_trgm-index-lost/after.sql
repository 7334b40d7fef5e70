INSERT INTO "Article" ("title", "body") VALUES ('One', 'text'), ('Two', 'text');
DROP INDEX "Article_title_idx";
