-- title: Expired tokens are cleared away.
-- severity: info
-- reads: Token
-- why: A token that ended more than a week ago is of no use. The rows do no harm, but every login looks through them.
-- fix: Delete them by the application; a job that runs each day keeps their number small.
SELECT "id" FROM "Token"
WHERE "expires" < (now() AT TIME ZONE 'UTC') - interval '7 days'
ORDER BY "expires"
