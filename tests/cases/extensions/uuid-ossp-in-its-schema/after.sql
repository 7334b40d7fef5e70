INSERT INTO "Order" ("placed") VALUES (now());
INSERT INTO "Line" ("orderId") SELECT "id" FROM "Order";
ALTER TABLE "Order" ALTER COLUMN "id" DROP DEFAULT;
