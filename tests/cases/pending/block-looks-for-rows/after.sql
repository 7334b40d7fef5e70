INSERT INTO "Customer" ("email","name","state") VALUES ('A@x.org','one','OPEN'),('a@x.org','two',NULL),('b@x.org',NULL,'7');
INSERT INTO "Job" VALUES (1,'OLD','{OLD,NEW}',1,1),(2,'NEW','{THIRD}',2,9),(3,NULL,NULL,2,1);
INSERT INTO "Team" VALUES (1,'x'),(2,'y');
