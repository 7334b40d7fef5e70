ALTER TABLE "Person" ADD COLUMN "searchName" TEXT GENERATED ALWAYS AS (lower(unaccent("name"))) STORED;
