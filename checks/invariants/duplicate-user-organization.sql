-- title: No two users stand for the same organization.
-- severity: warning
-- reads: User
-- why: Frigg looks an organization up by its appOrgId and takes the first: its members see the integrations of one or of the other.
-- fix: Which of them to keep is a decision about the user's data: look at what refers to each, move that to one, and
--   delete the others by the application. A constraint can follow in a migration of your own.
SELECT (array_agg(id ORDER BY id))[1] AS id, count(*) AS rows FROM "User"
WHERE "appOrgId" IS NOT NULL AND type::text = 'ORGANIZATION'
GROUP BY "appOrgId" HAVING count(*) > 1
ORDER BY 1
