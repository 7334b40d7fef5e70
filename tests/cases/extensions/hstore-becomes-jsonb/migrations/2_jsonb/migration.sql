ALTER TABLE "Product" DROP CONSTRAINT "Product_named", DROP COLUMN "color";
DROP INDEX "Product_attributes_idx";
ALTER TABLE "Product" ALTER COLUMN "attributes" DROP DEFAULT;
ALTER TABLE "Product" ALTER COLUMN "attributes" SET DATA TYPE JSONB USING hstore_to_jsonb("attributes");
ALTER TABLE "Product" ALTER COLUMN "attributes" SET DEFAULT '{}';
