-- title: Expired authorization sessions are cleared away.
-- severity: info
-- reads: AuthorizationSession
-- why: A session that ended more than a week ago is of no use. The rows do no harm, but hold what a user has entered.
-- fix: Delete them by the application; a job that runs each day keeps their number small.
SELECT "id" FROM "AuthorizationSession"
WHERE "expiresAt" < (now() AT TIME ZONE 'UTC') - interval '7 days'
ORDER BY "expiresAt"
