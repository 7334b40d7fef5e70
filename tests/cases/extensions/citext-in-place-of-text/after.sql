INSERT INTO "Account" ("email") VALUES ('A@x.org'), ('a@x.org'), ('b@x.org');
