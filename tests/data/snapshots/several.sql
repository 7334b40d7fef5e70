-- SQL fixes for prod, in the order in which they are to be applied.
-- Read each one before you run it; fallbacks and undos are commented out. Run them by
-- psql -v ON_ERROR_STOP=1 through your tunnel, as the owner of the tables.
-- Fixes that are not SQL, such as deploys, have their numbers too: they stand in summary.md.

-- Fix 1: failed-migration: Mark it (unproven)
-- Then deploy.
BEGIN;
UPDATE t SET x = 1;
COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: failed-migration: Delete it, the guide's option A (unproven)
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- It costs.
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- It costs.
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- It costs.
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- It costs.
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- It costs.
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- It costs.
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- It costs.
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;
