CREATE TABLE "Order" ("id" INTEGER PRIMARY KEY, "state" TEXT NOT NULL);
CREATE INDEX "Order_state_idx" ON "Order"("state");
