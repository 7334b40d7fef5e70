-- AlterTable
ALTER TABLE "Integration" DROP COLUMN "entityReferenceMap";
