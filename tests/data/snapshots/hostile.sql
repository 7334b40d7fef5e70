-- SQL fixes for prod, in the order in which they are to be applied.
-- Read each one before you run it; fallbacks and undos are commented out. Run them by
-- psql -v ON_ERROR_STOP=1 through your tunnel, as the owner of the tables.
-- Fixes that are not SQL, such as deploys, have their numbers too: they stand in summary.md.

-- Fix 1: failed-migration: Mark evil[31m‮<script>`rm`|
::error:: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ::error::y (unproven)
-- evil\x1b[31m\u202e<script>`rm`| ::error::
-- xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ::error::y
BEGIN;
UPDATE t SET x = 1;
COMMIT;
