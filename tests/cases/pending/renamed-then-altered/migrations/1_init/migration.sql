CREATE TABLE "Entity" ("id" SERIAL PRIMARY KEY, "data" JSONB NOT NULL DEFAULT '{}');
CREATE TABLE "Customer" ("id" SERIAL PRIMARY KEY, "email" TEXT, "name" TEXT, "state" TEXT);
CREATE TYPE "Kind" AS ENUM ('OLD','NEW','THIRD');
CREATE TABLE "Job" ("id" INTEGER PRIMARY KEY, "kind" "Kind" DEFAULT 'OLD', "kinds" "Kind"[], "a" INTEGER, "owner" INTEGER);
CREATE TABLE "Team" ("id" INTEGER PRIMARY KEY, "name" TEXT);
