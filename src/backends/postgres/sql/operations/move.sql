-- A step that moves those of the messages $1 that wait to the transport $6, the queue $7 and the priority $8 (NULL: as it
-- is). The place of each by age stays, and so does a key that it holds. Workers that wait are woken.
-- Index: the primary key of messenger_messages_pending. A claim that comes at the same time passes over what is locked
-- here, or has it already. `:turn`, `:woken` and `:noted` are parts.
WITH turn AS (
  :turn
),
acted AS (
  UPDATE :"schema".messenger_messages_pending
  SET transport_name = coalesce($6, transport_name),
      queue_name = coalesce($7, queue_name),
      priority = coalesce($8, priority)
  WHERE id = ANY ($1) AND EXISTS (SELECT FROM turn)
  RETURNING id, transport_name, available_at
),
:woken
noted AS (
  :noted
)
SELECT id, id, transport_name, (SELECT count(*) FROM woken) AS woken FROM acted
