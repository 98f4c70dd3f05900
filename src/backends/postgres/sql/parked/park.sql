-- Parks a batch, each message with its key, in one statement: stored, or refused because its key belongs to another
-- ($19 windows in ms, $20 repeats inside the batch). Those that are due at once are held under the token $3 for $21 ms:
-- who parks them publishes them, and should that one die, a relay does.
-- Repeated, it replaces what it has parked. Committed after its caller has given up, it leaves what a relay sends.
--
-- Index: the primary key; in its order, so that two batches wait for each other and never deadlock.
-- Returns one row per message: the id that holds the key, which is its own where it was parked; no row where the
-- transport is switched off. `:carried` is
-- _carried.sql, `:admit` keys/_admit.sql, `:replace` _replace.sql.
WITH incoming AS (
  SELECT carried.*, ($19::double precision[])[place] AS window_ms, ($20::integer[])[place] AS repeats
  FROM (
    :carried
  ) carried
  WHERE $1 <> ALL (ARRAY(
    :disabled
  ))
),
  :admit
resolved AS (
  SELECT m.*, coalesce(a.message_id, m.id) AS holder,
         coalesce(m.scheduled_at, now() + m.delay_ms * interval '1 millisecond', now()) AS due_at,
         m.scheduled_at IS NULL AND m.delay_ms IS NULL AS prompt
  FROM incoming m LEFT JOIN admitted a USING (id)
),
parked AS (
  INSERT INTO :"schema".messenger_parked
    (transport_name, id, due_at, held_by, held_until, scheduled_at, retry_count, max_retries, priority, queue_name,
     message_type, idempotency_key, body, headers, metadata, error_history, handled)
  SELECT transport_name, id, due_at, CASE WHEN prompt THEN $3::uuid END,
         CASE WHEN prompt THEN now() + $21 * interval '1 millisecond' END, scheduled_at, retry_count, max_retries,
         priority, queue_name, message_type, idempotency_key, body, headers, metadata, error_history, handled
  FROM resolved
  WHERE holder = id
  ORDER BY id
  :replace
)
SELECT id, holder, due_at FROM resolved
