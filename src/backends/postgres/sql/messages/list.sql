-- One page of messages, newest first, from before the cursor $10. Every filter may be NULL.
--
-- Index: the primary key of each partition; ids sort by time. That of messages at work sorts by worker first, and is
-- read as a whole. No more than $11 messages are examined, whatever the filter: `reach` is the last of them, NULL if
-- fewer are left. If a page ends early, the next one begins there. Each partition is separate, so that one that cannot
-- match is not read at all. The first row carries the reach.
WITH reach AS MATERIALIZED (
  SELECT id FROM (
    (SELECT id FROM :"schema".messenger_messages_pending
     WHERE ($1::text IS NULL OR $1 = 'pending') AND id >= $9 AND id < $10 ORDER BY id DESC LIMIT $11)
    UNION ALL
    (SELECT id FROM :"schema".messenger_messages_processing
     WHERE ($1::text IS NULL OR $1 = 'processing') AND id >= $9 AND id < $10 ORDER BY id DESC LIMIT $11)
    UNION ALL
    (SELECT id FROM :"schema".messenger_messages_finished
     WHERE ($1::text IS NULL OR $1 IN ('completed', 'discarded', 'cancelled')) AND id >= $9 AND id < $10
     ORDER BY id DESC LIMIT $11)
  ) newest
  ORDER BY id DESC OFFSET $11 - 1 LIMIT 1
),
seen AS (
  SELECT * FROM :"schema".messenger_messages_pending
  WHERE ($1::text IS NULL OR $1 = 'pending') AND id >= coalesce((SELECT id FROM reach), $9) AND id < $10
  UNION ALL
  SELECT * FROM :"schema".messenger_messages_processing
  WHERE ($1::text IS NULL OR $1 = 'processing') AND id >= coalesce((SELECT id FROM reach), $9) AND id < $10
  UNION ALL
  SELECT * FROM :"schema".messenger_messages_finished
  WHERE ($1::text IS NULL OR $1 IN ('completed', 'discarded', 'cancelled'))
    AND id >= coalesce((SELECT id FROM reach), $9) AND id < $10
),
page AS (
  SELECT * FROM seen
  WHERE ($1::text IS NULL OR status = $1)
    AND ($2::text IS NULL OR transport_name = $2)
    AND ($3::text IS NULL OR queue_name = $3)
    AND ($4::text IS NULL OR message_type = $4)
    AND ($5::smallint IS NULL OR priority = $5)
    AND ($6::text IS NULL OR position(lower($6) IN lower(body::text)) > 0
         OR position(lower($6) IN lower(last_error)) > 0)
    AND ($7::timestamptz IS NULL OR created_at >= $7)
    AND ($8::timestamptz IS NULL OR created_at <= $8)
  ORDER BY id DESC LIMIT $12
)
SELECT (SELECT id FROM reach), page.id, message_type, transport_name, queue_name, priority, status, body::text,
       headers::text, metadata::text, created_at, available_at, scheduled_at, processed_at, retry_count, max_retries,
       crash_count, last_error, coalesce(error_history, '[]')::text, idempotency_key, NULL::uuid
FROM (SELECT) always LEFT JOIN page ON true
ORDER BY page.id DESC
