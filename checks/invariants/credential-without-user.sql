-- title: Every Credential belongs to a user.
-- severity: warning
-- reads: Credential
-- why: Frigg finds credentials by their user. One without a user is never found again, is in no list, and nothing
--   deletes it. A schema that allows the NULL does not forbid it.
-- fix: Find out whose these rows are, then set the user, or delete what nobody owns. Where many old ones are known,
--   accept their number in the registry: baselines.credential-without-user = N.
SELECT id FROM "Credential" WHERE "userId" IS NULL
