CREATE FUNCTION immutable_unaccent(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    AS $$ SELECT public.unaccent('public.unaccent', $1) $$;
ALTER TABLE "Person" ADD COLUMN "searchName" TEXT GENERATED ALWAYS AS (lower(immutable_unaccent("name"))) STORED;
CREATE INDEX "Person_searchName_idx" ON "Person"("searchName");
