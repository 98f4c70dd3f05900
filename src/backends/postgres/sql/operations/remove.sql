-- A step that deletes the dead letters $1. `:turn` and `:noted` are parts.
WITH turn AS (
  :turn
),
acted AS (
  DELETE FROM :"schema".messenger_failed_messages WHERE id = ANY ($1) AND EXISTS (SELECT FROM turn)
  RETURNING id, transport_name
),
noted AS (
  :noted
)
SELECT id, id, transport_name FROM acted
