CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX "Article_title_idx" ON "Article" USING GIN ("title" gin_trgm_ops);
CREATE INDEX "Article_body_idx" ON "Article" USING GIST ("body" gist_trgm_ops (siglen = 32));
