ALTER TABLE "Order" ADD COLUMN "note" TEXT;
CREATE UNIQUE INDEX "User_email_key" ON "User"("email");
CREATE INDEX "Order_userId_idx" ON "Order"("userId");
