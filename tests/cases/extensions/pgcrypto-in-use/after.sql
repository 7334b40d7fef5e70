INSERT INTO "User" ("email") VALUES ('a@x.org'), ('b@x.org');
INSERT INTO "Token" ("userId", "secret") SELECT "id", "email" FROM "User";
