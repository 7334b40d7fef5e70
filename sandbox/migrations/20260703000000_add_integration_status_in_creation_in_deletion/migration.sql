-- New labels cannot be used in the transaction that adds them,
-- so the default changes in the next migration.

-- AlterEnum
ALTER TYPE "IntegrationStatus" ADD VALUE IF NOT EXISTS 'IN_CREATION';

-- AlterEnum
ALTER TYPE "IntegrationStatus" ADD VALUE IF NOT EXISTS 'IN_DELETION';
