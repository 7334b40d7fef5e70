INSERT INTO "Person" ("name") VALUES ('Zoë'), ('José');
DROP INDEX "Person_searchName_idx";
