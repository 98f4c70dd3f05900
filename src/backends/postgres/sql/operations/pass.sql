-- A step that goes past the message that the database refuses, for the reason $6, or past nothing ($1 is empty): the others
-- go on. `:turn` is a part.
WITH turn AS (
  :turn
)
UPDATE :"schema".messenger_audit a
SET steps = a.steps + 1,
    cursor = $4,
    failed = a.failed + cardinality($1),
    error = coalesce($6, a.error),
    updated_at = now(),
    ended_at = CASE WHEN $5 THEN now() END,
    ended = CASE WHEN $5 THEN 'completed' END
FROM turn
WHERE a.id = turn.id
RETURNING a.id, a.id, ''
