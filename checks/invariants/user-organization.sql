-- title: The organization of a user is an organization, and another row.
-- severity: error
-- reads: User
-- why: Frigg shows a user what belongs to the organization. Where that is a person, the user sees what is that
--   person's; where it is the user itself, whoever follows the references goes round in circles.
-- fix: Set the organization that the user belongs to, or NULL.
SELECT member.id, member."organizationId" FROM "User" member
JOIN "User" organization ON organization.id = member."organizationId"
WHERE member.id = organization.id OR organization.type::text <> 'ORGANIZATION'
