CREATE TABLE "Secret" ("id" UUID PRIMARY KEY DEFAULT gen_random_uuid(), "sealed" BYTEA NOT NULL);
INSERT INTO "Secret" ("sealed") VALUES (pgp_sym_encrypt('a word', 'key'));
