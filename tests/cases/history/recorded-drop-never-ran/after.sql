INSERT INTO "T" ("old") VALUES ('a'), ('b');
