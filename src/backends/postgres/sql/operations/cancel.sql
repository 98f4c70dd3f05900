-- A step that cancels those of the messages $1 that wait: they leave the queue, and join the finished ones if $6 says that
-- these are kept. Index: the primary key of messenger_messages_pending; of a claim that comes at the same time, one of
-- the two deletes the row. `:turn`, `:cancelled`, `:freed` and `:noted` are parts.
WITH turn AS (
  :turn
),
acted AS (
  DELETE FROM :"schema".messenger_messages_pending WHERE id = ANY ($1) AND EXISTS (SELECT FROM turn) RETURNING *
),
kept AS (
  :cancelled
  WHERE $6
),
freed AS (
  :freed
),
noted AS (
  :noted
)
SELECT id, id, transport_name FROM acted
