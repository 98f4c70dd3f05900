-- The messages $2 of the transport $1 are held under the token $3 no more: the broker has not taken them, and the relay
-- that comes next tries again. Index: the primary key, see unpark.sql.
UPDATE :"schema".messenger_parked
SET held_by = NULL, held_until = NULL
WHERE id = ANY ($2) AND transport_name || '' = $1 AND held_by = $3
RETURNING id
