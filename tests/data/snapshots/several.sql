-- SQL fixes for prod, in the order in which they are to be applied.
-- Read each one before you run it. Fallbacks and undos are commented out.

-- Fix 1: failed-migration: Mark it (unproven)
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
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Fallback: orphaned-migration: Delete the row (unproven)
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;

-- Undo:
-- BEGIN;
-- UPDATE t SET x = 1;
-- COMMIT;
