UPDATE "User" SET "x" = "y";
ALTER TABLE "User" DROP COLUMN "y";
