INSERT INTO "Customer" ("name") VALUES ('a'), ('b');
