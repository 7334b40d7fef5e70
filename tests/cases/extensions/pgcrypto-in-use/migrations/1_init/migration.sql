CREATE TABLE "Entity" ("id" SERIAL PRIMARY KEY, "data" JSONB NOT NULL DEFAULT '{}');
-- gen_random_uuid() is PostgreSQL's own from 13 on; older directories ask pgcrypto for it.
CREATE EXTENSION IF NOT EXISTS "pgcrypto";
CREATE TABLE "User" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "email" TEXT NOT NULL,
    "password" TEXT NOT NULL DEFAULT crypt('change me', gen_salt('bf', 4)),
    CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);
