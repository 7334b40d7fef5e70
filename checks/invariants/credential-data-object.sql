-- title: Every Credential has an object in its column data.
-- severity: error
-- reads: Credential
-- why: Frigg's client keeps the tokens as fields of this column. Of an array, a text or a null it reads none, and asks the user to connect again.
-- fix: Find out in the code what writes such a value, then set the object that belongs into each of these rows.
SELECT id, jsonb_typeof("data") AS type FROM "Credential"
WHERE jsonb_typeof("data") IS DISTINCT FROM 'object'
