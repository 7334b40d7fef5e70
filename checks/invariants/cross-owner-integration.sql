-- title: Every integration uses entities of its own user, or of one of the same organization.
-- severity: error
-- reads: _EntityToIntegration, Entity, Integration, User
-- why: An integration works with the credentials of its entities. With another customer's, it reads and writes their
--   data.
-- fix: Disable the integration first. Then find out which of the two belongs to whom, and take the other out of it.
SELECT link."A" AS entity, link."B" AS integration, e."userId" AS "entityUser", i."userId" AS "integrationUser"
FROM "_EntityToIntegration" link
JOIN "Entity" e ON e.id = link."A"
JOIN "Integration" i ON i.id = link."B"
LEFT JOIN "User" eu ON eu.id = e."userId"
LEFT JOIN "User" iu ON iu.id = i."userId"
WHERE e."userId" <> i."userId"
  -- An organization is a user too: it is the organization of its members, and of itself.
  AND coalesce(eu."organizationId", eu.id) IS DISTINCT FROM coalesce(iu."organizationId", iu.id)
