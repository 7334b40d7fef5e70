-- title: No integration has two mappings without a source.
-- severity: warning
-- reads: IntegrationMapping
-- why: The unique index on integration and source lets NULL stand any number of times. Which of these mappings is read may change.
-- fix: Which of them to keep is a decision about the user's data: look at what refers to each, move that to one, and
--   delete the others by the application. A constraint can follow in a migration of your own.
SELECT (array_agg(id ORDER BY id))[1] AS id, count(*) AS rows FROM "IntegrationMapping"
WHERE "sourceId" IS NULL
GROUP BY "integrationId" HAVING count(*) > 1
ORDER BY 1
