-- title: Every integration has arrays in its columns errors, warnings, info and logs.
-- severity: error
-- reads: Integration
-- why: Frigg appends messages to these columns. To an object, a text or a null it cannot, and the request that wanted
--   to report a problem fails itself.
-- fix: Find out in the code what writes such a value, then set an array into each of these rows.
SELECT id, jsonb_typeof(errors) AS errors, jsonb_typeof(warnings) AS warnings, jsonb_typeof(info) AS info,
       jsonb_typeof(logs) AS logs
FROM "Integration"
WHERE jsonb_typeof(errors) IS DISTINCT FROM 'array' OR jsonb_typeof(warnings) IS DISTINCT FROM 'array'
   OR jsonb_typeof(info) IS DISTINCT FROM 'array' OR jsonb_typeof(logs) IS DISTINCT FROM 'array'
