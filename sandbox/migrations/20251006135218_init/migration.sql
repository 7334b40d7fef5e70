-- Replaces the column under its new name; old values are not carried over.

-- AlterTable
ALTER TABLE "Credential" DROP COLUMN "auth_is_valid",
ADD COLUMN     "authIsValid" BOOLEAN;
