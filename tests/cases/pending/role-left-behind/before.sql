CREATE ROLE "app owner";
GRANT ALL ON SCHEMA public TO "app owner";
