CREATE TABLE "Entity" (
    "id" SERIAL PRIMARY KEY,
    "name" TEXT
);
