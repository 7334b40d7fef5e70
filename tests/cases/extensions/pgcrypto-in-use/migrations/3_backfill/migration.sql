ALTER TABLE "User" ADD COLUMN "emailHash" TEXT;
UPDATE "User" SET "emailHash" = encode(digest(lower("email"), 'sha256'), 'hex');
ALTER TABLE "User" ALTER COLUMN "emailHash" SET NOT NULL;
