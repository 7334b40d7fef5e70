-- title: Every process moves on, or has come to its end.
-- severity: warning
-- reads: Process
-- why: A sync in these states is moved on within seconds. One that has not been touched for an hour has lost its
--   worker: it never ends, and an application that waits for it starts no other.
-- fix: Look at the worker's log of that time, then let the application cancel or restart each one. Where many old ones
--   are known, accept their number in the registry: baselines.stuck-process = N.
SELECT id, state FROM "Process"
WHERE state IN ('INITIALIZING', 'FETCHING_TOTAL', 'QUEUING_PAGES', 'FETCHING_PAGE', 'PROCESSING_BATCHES')
  AND "updatedAt" < (now() AT TIME ZONE 'UTC') - interval '1 hour'
ORDER BY "updatedAt"
