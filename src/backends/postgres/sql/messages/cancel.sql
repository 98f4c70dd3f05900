-- Cancels a waiting message: it leaves the queue, and joins the finished ones if $2 says that these are kept. If it holds
-- a key, that is free again. The audit $3 says who, $4, why, $5, and in which role, $6. `:cancelled` and `:freed` are
-- parts.
--
-- Index: the primary key of messenger_messages_pending. A claim of the message may come at the same time: one of the
-- two deletes the row. Returns the state of the message; 'pending' if it was claimed meanwhile, so ask again.
WITH acted AS (
  DELETE FROM :"schema".messenger_messages_pending WHERE id = $1 RETURNING *
),
kept AS (
  :cancelled
  WHERE $2
),
freed AS (
  :freed
),
noted AS (
  INSERT INTO :"schema".messenger_audit (id, actor, role, action, target, reason, matched, done, ended_at, ended)
  SELECT $3, $4, $6, 'cancel', jsonb_build_object(
           'operation', jsonb_build_object('action', 'cancel'),
           'selection', jsonb_build_object('ids', jsonb_build_array($1))), $5, 1, 1, now(), 'completed'
  FROM acted
)
SELECT true AS cancelled, 'cancelled' AS status FROM acted
UNION ALL
(SELECT false, status FROM :"schema".messenger_messages WHERE id = $1 AND NOT EXISTS (SELECT FROM acted))
UNION ALL
(SELECT false, 'failed' FROM :"schema".messenger_failed_messages WHERE message_id = $1 LIMIT 1)
LIMIT 1
