CREATE TABLE "Entity" ("id" SERIAL PRIMARY KEY, "data" JSONB NOT NULL DEFAULT '{}');
CREATE TABLE "Profile" ("id" UUID NOT NULL DEFAULT extensions.uuid_generate_v4() PRIMARY KEY);
