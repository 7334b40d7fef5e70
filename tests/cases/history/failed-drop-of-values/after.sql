INSERT INTO "Customer" ("name", "state") VALUES ('a', 'OPEN'), ('b', NULL);
