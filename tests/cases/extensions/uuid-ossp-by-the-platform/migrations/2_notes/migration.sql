-- It is there already, elsewhere than in the first schema of the search_path.
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE TABLE "Note" ("id" UUID NOT NULL DEFAULT extensions.uuid_generate_v4() PRIMARY KEY, "profileId" UUID REFERENCES "Profile"("id"));
