-- title: Every process has objects in its columns context and results.
-- severity: error
-- reads: Process
-- why: The worker reads and merges fields of both. Of an array, a text or a null it reads none, and the process ends
--   in an error or begins anew.
-- fix: Find out in the code what writes such a value, then set the object that belongs into each of these rows.
SELECT id, jsonb_typeof(context) AS context, jsonb_typeof(results) AS results FROM "Process"
WHERE jsonb_typeof(context) IS DISTINCT FROM 'object' OR jsonb_typeof(results) IS DISTINCT FROM 'object'
