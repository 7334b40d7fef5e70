CREATE TABLE "Return" ("id" UUID NOT NULL DEFAULT extensions.uuid_generate_v1mc() PRIMARY KEY, "lineId" UUID NOT NULL REFERENCES "Line"("id"));
