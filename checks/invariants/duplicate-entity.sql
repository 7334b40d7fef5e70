-- title: No user has the same entity of a module twice.
-- severity: warning
-- reads: Entity
-- why: Frigg looks for it and makes it where it finds none, without a constraint: two requests at once make two. Later ones take the first, whose tokens may be the old ones.
-- fix: Which of them to keep is a decision about the user's data: look at what refers to each, move that to one, and
--   delete the others by the application. A constraint can follow in a migration of your own.
SELECT (array_agg(id ORDER BY id))[1] AS id, count(*) AS rows FROM "Entity"
WHERE "userId" IS NOT NULL AND "moduleName" IS NOT NULL AND "externalId" IS NOT NULL
GROUP BY "userId", "moduleName", "externalId" HAVING count(*) > 1
ORDER BY 1
