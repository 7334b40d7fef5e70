ALTER TABLE "Squad" ALTER COLUMN "title" SET NOT NULL;
CREATE UNIQUE INDEX "Squad_title" ON "Squad"("title");