-- title: No integration stays half created, half deleted or at work.
-- severity: warning
-- reads: Integration
-- why: These states last seconds or minutes. One that has not been touched for a day was left behind by a request or a
--   worker that ended: it does nothing, and its user cannot use it.
-- fix: Look at the log of that time, then let the application finish or delete each one. Where many old ones are known,
--   accept their number in the registry: baselines.stuck-integration = N.
SELECT id, status::text FROM "Integration"
WHERE status::text IN ('IN_CREATION', 'IN_DELETION', 'PROCESSING')
  AND "updatedAt" < (now() AT TIME ZONE 'UTC') - interval '1 day'
ORDER BY "updatedAt"
