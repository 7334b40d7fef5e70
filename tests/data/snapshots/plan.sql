-- SQL fixes for prod, in the order in which they are to be applied.
-- Read each one before you run it; fallbacks and undos are commented out. Run them by
-- psql -v ON_ERROR_STOP=1 through your tunnel, as the owner of the tables.
-- Fixes that are not SQL, such as deploys, have their numbers too: they stand in summary.md.

-- Fix 2: pending-data-violates: Decide which stays (a person's decision)
-- It reads.
-- SELECT 1;

-- Fix 3: pending-data-violates: Decide (a person's decision)

-- Fix 4: failed-migration: Mark it (unproven)
BEGIN;
UPDATE t SET x = 1;
COMMIT;
