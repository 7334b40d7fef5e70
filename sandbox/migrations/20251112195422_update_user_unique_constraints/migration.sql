-- One unique pair takes the place of three single-column ones.

-- DropIndex
DROP INDEX "User_email_key";

-- DropIndex
DROP INDEX "User_username_key";

-- DropIndex
DROP INDEX "User_appOrgId_key";

-- AlterTable
ALTER TABLE "Credential" DROP COLUMN "subType";

-- AlterTable
ALTER TABLE "Entity" DROP COLUMN "subType";

-- CreateIndex
CREATE UNIQUE INDEX "User_username_appUserId_key" ON "User"("username", "appUserId");
