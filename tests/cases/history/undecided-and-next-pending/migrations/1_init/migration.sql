CREATE TABLE "Entity" ("id" SERIAL NOT NULL, "data" JSONB NOT NULL DEFAULT '{}', CONSTRAINT "Entity_pkey" PRIMARY KEY ("id"));
CREATE TABLE "User" ("id" SERIAL NOT NULL, "email" TEXT, "x" TEXT, "y" TEXT, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
