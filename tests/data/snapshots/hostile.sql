-- SQL fixes for prod, in the order in which they are to be applied.
-- Read each one before you run it. Fallbacks and undos are commented out.

-- Fix 1: failed-migration: Mark evil[31m‮<script>`rm`|
::error:: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ::error::y (unproven)
BEGIN;
UPDATE t SET x = 1;
COMMIT;
