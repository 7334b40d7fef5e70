CREATE TABLE "Entity" ("id" SERIAL PRIMARY KEY, "data" JSONB NOT NULL DEFAULT '{}');
CREATE SCHEMA IF NOT EXISTS "extensions";
CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA "extensions";
CREATE TABLE "Order" ("id" UUID NOT NULL DEFAULT extensions.uuid_generate_v4() PRIMARY KEY, "placed" TIMESTAMP(3) NOT NULL);
CREATE TABLE "Line" ("id" UUID NOT NULL DEFAULT "extensions"."uuid_generate_v4"() PRIMARY KEY, "orderId" UUID NOT NULL REFERENCES "Order"("id"));
