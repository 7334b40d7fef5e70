CREATE TABLE "Entity" ("id" SERIAL PRIMARY KEY, "data" JSONB NOT NULL DEFAULT '{}');
CREATE EXTENSION IF NOT EXISTS "hstore";
CREATE TABLE "Product" ("id" SERIAL PRIMARY KEY, "attributes" HSTORE NOT NULL DEFAULT ''::hstore, "color" TEXT GENERATED ALWAYS AS ("attributes" -> 'color') STORED);
CREATE INDEX "Product_attributes_idx" ON "Product" USING GIN ("attributes");
ALTER TABLE "Product" ADD CONSTRAINT "Product_named" CHECK ("attributes" ? 'name' OR "attributes" = ''::hstore);
