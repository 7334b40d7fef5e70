SET ROLE "app owner";
CREATE TABLE "Owned" (id integer PRIMARY KEY);
