-- AlterTable
ALTER TABLE "Integration" ALTER COLUMN "status" SET DEFAULT 'IN_CREATION';
