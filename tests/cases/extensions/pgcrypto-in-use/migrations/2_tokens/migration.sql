CREATE TABLE "Token" (
    "id" SERIAL PRIMARY KEY,
    "userId" UUID NOT NULL REFERENCES "User"("id") ON DELETE CASCADE,
    "secret" TEXT NOT NULL,
    "hash" BYTEA GENERATED ALWAYS AS (digest("secret", 'sha256')) STORED
);
CREATE UNIQUE INDEX "Token_hash_key" ON "Token"(encode(digest("secret", 'sha256'), 'hex'));
