-- Claims one suspect, a message whose process died while it held it: of those that crashed least often the first, in the
-- order of claims. So what is most likely innocent comes first, and what a second process died with comes last.
--
-- Index: messenger_messages_suspect, of which all that is due is read; suspects are few. Fence: as in claim.sql.
WITH lease AS (
  INSERT INTO :"schema".messenger_workers AS w
    (id, host, pid, transports, lease_until, kind, concurrency, version, release)
  VALUES ($1, $2, $3, ARRAY[$8::text], now() + $4 * interval '1 millisecond', $9, $10, $11, $12)
  ON CONFLICT (id) DO UPDATE
    SET last_beat_at = now(), lease_until = excluded.lease_until, in_flight = greatest(w.in_flight, 0)
),
moved AS (
  DELETE FROM :"schema".messenger_messages_pending
  WHERE ctid = ANY (ARRAY(
    SELECT m.ctid
    FROM :"schema".messenger_messages_pending m
    WHERE m.transport_name = $8
      AND m.crash_count > 0
      AND m.available_at <= now()
      AND ($6::text[] IS NULL OR m.queue_name = ANY ($6))
      AND ($7::text[] IS NULL OR m.message_type = ANY ($7))
      AND $8 <> ALL (ARRAY(
        :disabled
      ))
      AND
        :unpaused
    ORDER BY m.crash_count, m.priority DESC, m.available_at, m.id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
  ))
  RETURNING *
)
:take
