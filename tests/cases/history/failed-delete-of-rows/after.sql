INSERT INTO "T" ("a") VALUES ('x'), ('y');
