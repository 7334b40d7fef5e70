-- A role that reads all that migration health judges, and that can write nothing. For PostgreSQL 15 and newer, and
-- Aurora. Run it once per cluster through your tunnel, as its master user (on Aurora postgres, in rds_superuser):
--
--   psql -X -v ON_ERROR_STOP=1 -d postgres -f docs/reference/read-only-role.sql
--
-- Then set its password in psql; it is asked for, and encrypted before it leaves your machine:
--
--   \password migration_health
--
-- docs/guides/permissions.md tells the rest. What undoes it: DROP ROLE migration_health;

BEGIN;

-- INHERIT: with the rights of the roles below without SET ROLE. Without a password nobody can log in yet.
CREATE ROLE migration_health LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS
    CONNECTION LIMIT 10;

-- pg_read_all_data: every table, view and sequence, also those of later migrations.
-- pg_read_all_stats: who holds the migration lock; without it that session shows as <insufficient privilege>.
DO $$
DECLARE
    how text := '';
BEGIN
    IF current_setting('server_version_num')::int >= 160000 THEN
        how := ' WITH INHERIT TRUE';  -- before 16 the role's own INHERIT says it
    END IF;
    EXECUTE 'GRANT pg_read_all_data, pg_read_all_stats TO migration_health' || how;
END $$;

-- A second lock on the same door: functions that run with their owner's rights write nothing either.
ALTER ROLE migration_health SET default_transaction_read_only = on;
ALTER ROLE migration_health SET idle_in_transaction_session_timeout = '2min';

COMMIT;

-- A database that was made before PostgreSQL 15 lets everybody create tables in the schema public. The report says
-- so (CREATE on schema public). This takes it from all who do not own the schema; look first whether somebody needs it:
--   REVOKE CREATE ON SCHEMA public FROM PUBLIC;
-- Where CONNECT was taken from everybody:
--   GRANT CONNECT ON DATABASE postgres TO migration_health;
