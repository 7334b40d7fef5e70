-- title: Every organization has its appOrgId.
-- severity: error
-- reads: User
-- why: Frigg finds an organization by it alone. Without it, the organization and all that belongs to it are out of
--   reach, and the next login makes another one.
-- fix: Set the id that the application has for it; where there is another row of the same organization, move what
--   refers to this one there first.
SELECT id FROM "User" WHERE type::text = 'ORGANIZATION' AND "appOrgId" IS NULL
