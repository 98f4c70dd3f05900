-- Changes a message that waits: its payload $2, headers $3 and metadata $4, JSON text, its queue $5, priority $6 and
-- retries $7, and when it is due: at $8, or in $9 ms (NULL: as it is). Its place by age and its key stay. Workers that
-- wait are woken if it is due. The audit $10 says which of that has changed, $14, who did it, $11, why, $12, and in which
-- role, $13; never what it holds. `:woken` is a part.
--
-- Index: the primary key of messenger_messages_pending. A claim that comes at the same time passes over the row that is
-- locked here, or has it already. Returns the state of the message; 'pending' if it was claimed and put back meanwhile, so
-- ask again.
WITH acted AS (
  UPDATE :"schema".messenger_messages_pending
  SET body = coalesce($2::jsonb, body),
      headers = coalesce($3::jsonb, headers),
      metadata = coalesce($4::jsonb, metadata),
      queue_name = coalesce($5, queue_name),
      priority = coalesce($6, priority),
      max_retries = coalesce($7, max_retries),
      scheduled_at = coalesce($8, scheduled_at),
      available_at = coalesce($8, now() + $9 * interval '1 millisecond', available_at)
  WHERE id = $1
  RETURNING id, transport_name, available_at
),
:woken
noted AS (
  INSERT INTO :"schema".messenger_audit (id, actor, role, action, target, reason, matched, done, ended_at, ended)
  SELECT $10, $11, $13, 'edit', jsonb_build_object(
           'operation', jsonb_build_object('action', 'edit', 'changed', to_jsonb($14::text[])),
           'selection', jsonb_build_object('ids', jsonb_build_array($1))), $12, 1, 1, now(), 'completed'
  FROM acted
)
SELECT true AS edited, 'pending' AS status, (SELECT count(*) FROM woken) AS woken FROM acted
UNION ALL
(SELECT false, status, 0 FROM :"schema".messenger_messages WHERE id = $1 AND NOT EXISTS (SELECT FROM acted))
UNION ALL
(SELECT false, 'failed', 0 FROM :"schema".messenger_failed_messages WHERE message_id = $1 LIMIT 1)
LIMIT 1
