-- title: No two users have the same e-mail address.
-- severity: warning
-- reads: User
-- why: Frigg looks a user up by this address and takes the first: which one that is may change.
-- fix: Which of them to keep is a decision about the user's data: look at what refers to each, move that to one, and
--   delete the others by the application. A constraint can follow in a migration of your own.
SELECT (array_agg(id ORDER BY id))[1] AS id, count(*) AS rows FROM "User"
WHERE email IS NOT NULL
GROUP BY email HAVING count(*) > 1
ORDER BY 1
