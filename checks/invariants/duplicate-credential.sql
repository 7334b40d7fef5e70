-- title: No user has the same credential twice.
-- severity: warning
-- reads: Credential
-- why: Frigg looks for it and makes it where it finds none, without a constraint: two requests at once make two. Later ones take the first, whose tokens may be the old ones.
-- fix: Which of them to keep is a decision about the user's data: look at what refers to each, move that to one, and
--   delete the others by the application. A constraint can follow in a migration of your own.
SELECT (array_agg(id ORDER BY id))[1] AS id, count(*) AS rows FROM "Credential"
WHERE "userId" IS NOT NULL AND "externalId" IS NOT NULL
GROUP BY "userId", "externalId" HAVING count(*) > 1
ORDER BY 1
