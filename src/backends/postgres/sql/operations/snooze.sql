-- A step that makes those of the messages $1 that wait due in $6 ms. Workers that wait are woken for what is due at once.
-- Index: the primary key of messenger_messages_pending. A claim that comes at the same time passes over what is locked
-- here, or has it already. `:turn`, `:woken` and `:noted` are parts.
WITH turn AS (
  :turn
),
acted AS (
  UPDATE :"schema".messenger_messages_pending SET available_at = now() + $6 * interval '1 millisecond'
  WHERE id = ANY ($1) AND EXISTS (SELECT FROM turn)
  RETURNING id, transport_name, available_at
),
:woken
noted AS (
  :noted
)
SELECT id, id, transport_name, (SELECT count(*) FROM woken) AS woken FROM acted
