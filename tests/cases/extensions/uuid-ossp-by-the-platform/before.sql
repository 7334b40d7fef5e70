CREATE SCHEMA "extensions";
CREATE EXTENSION "uuid-ossp" WITH SCHEMA "extensions";
