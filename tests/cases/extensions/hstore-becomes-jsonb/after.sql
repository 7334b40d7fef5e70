INSERT INTO "Product" ("attributes") VALUES ('name => a, color => red'), (DEFAULT);
