CREATE EXTENSION IF NOT EXISTS "postgis";
ALTER TABLE "Place" ADD COLUMN "spot" geometry;
CREATE INDEX "Place_x" ON "Place"(ST_X("spot"));
