-- A step that puts the dead letters $1 back as new messages with the ids $6: the letter out, the message in, and the
-- operation on, in one statement. Two redrives of one letter make one message: the DELETE finds the row once, and an id
-- named twice counts once. `:turn`, `:redriven` and `:noted` are parts.
WITH turn AS (
  :turn
),
chosen AS (
  SELECT DISTINCT ON (failed_id) * FROM unnest($1::uuid[], $6::uuid[]) AS c (failed_id, new_id)
),
letter AS (
  DELETE FROM :"schema".messenger_failed_messages WHERE id = ANY ($1) AND EXISTS (SELECT FROM turn) RETURNING *
),
:redriven
woken AS (
  :wake
),
acted AS (
  SELECT id FROM letter
),
noted AS (
  :noted
)
SELECT id, new_id, transport_name, (SELECT count(*) FROM woken) AS woken FROM revived
