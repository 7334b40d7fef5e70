INSERT INTO "Account" ("email") VALUES ('A@x.org'), ('b@x.org');
