-- title: Every Entity has an object in its column data.
-- severity: error
-- reads: Entity
-- why: Frigg's client spreads the fields of this column into the entity. Of an array, a text or a null it reads none, and what it writes next replaces the value.
-- fix: Find out in the code what writes such a value, then set the object that belongs into each of these rows.
SELECT id, jsonb_typeof("data") AS type FROM "Entity"
WHERE jsonb_typeof("data") IS DISTINCT FROM 'object'
