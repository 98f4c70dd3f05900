-- One page of messages, newest first, from before the cursor $10, in one of the states $1: all that they hold if $14 says
-- so, else outlines. Which ones says `:fits`, _fits.sql.
--
-- Index: the primary key of each partition; ids sort by time. That of messages at work sorts by worker first, and is
-- read as a whole. No more than $11 messages are examined, whatever the filter: `reach` is the last of them, NULL if
-- fewer are left. If a page ends early, the next one begins there. Each partition is separate, so that one that cannot
-- match is not read at all. Every row carries the reach.
--
-- A page ends once its messages hold some 64 MiB of text, `cut`. How long the text of a body will be is estimated without
-- reading it, as in claim_many.sql.
WITH reach AS MATERIALIZED (
  SELECT id FROM (
    (SELECT id FROM :"schema".messenger_messages_pending
     WHERE 'pending' = ANY ($1) AND id >= $9 AND id < $10 ORDER BY id DESC LIMIT $11)
    UNION ALL
    (SELECT id FROM :"schema".messenger_messages_processing
     WHERE 'processing' = ANY ($1) AND id >= $9 AND id < $10 ORDER BY id DESC LIMIT $11)
    UNION ALL
    (SELECT id FROM :"schema".messenger_messages_finished
     WHERE $1 && '{completed,discarded,cancelled}' AND id >= $9 AND id < $10
     ORDER BY id DESC LIMIT $11)
  ) newest
  ORDER BY id DESC OFFSET $11 - 1 LIMIT 1
),
seen AS (
  SELECT * FROM :"schema".messenger_messages_pending
  WHERE 'pending' = ANY ($1) AND id >= coalesce((SELECT id FROM reach), $9) AND id < $10
  UNION ALL
  SELECT * FROM :"schema".messenger_messages_processing
  WHERE 'processing' = ANY ($1) AND id >= coalesce((SELECT id FROM reach), $9) AND id < $10
  UNION ALL
  SELECT * FROM :"schema".messenger_messages_finished
  WHERE $1 && '{completed,discarded,cancelled}'
    AND id >= coalesce((SELECT id FROM reach), $9) AND id < $10
),
page AS (
  SELECT * FROM seen
  WHERE status = ANY ($1)
    AND
      :fits
  ORDER BY id DESC LIMIT $12
),
sized AS MATERIALIZED (
  SELECT *, sum(bytes) OVER (ORDER BY id DESC ROWS UNBOUNDED PRECEDING) - bytes < 67108864 AS fits
  FROM (
    SELECT *, octet_length(headers::text) + octet_length(metadata::text)
              + CASE WHEN $14 THEN coalesce(octet_length(error_history::text), 0) ELSE 0 END
              + least(2097152, pg_column_size(body)
                * CASE pg_column_compression(body) WHEN 'pglz' THEN 90::bigint WHEN 'lz4' THEN 255 ELSE 2 END) AS bytes
    FROM page
  ) measured
)
SELECT (SELECT id FROM reach), (SELECT NOT bool_and(fits) FROM sized) AS cut,
       shown.id, message_type, transport_name, queue_name, priority, status,
       CASE WHEN $14 THEN payload.text ELSE left(payload.text, 200) END, octet_length(payload.text),
       CASE WHEN $14 THEN coalesce(error_history, '[]')::text END,
       headers::text, metadata::text, created_at, available_at, scheduled_at,
       CASE WHEN status <> 'pending' THEN locked_at END, CASE WHEN status <> 'pending' THEN worker_id END, processed_at,
       retry_count, max_retries, crash_count, last_error, idempotency_key, NULL::uuid
FROM (SELECT) always
LEFT JOIN sized shown ON shown.fits
LEFT JOIN LATERAL (SELECT shown.body::text AS text OFFSET 0) payload ON true
ORDER BY shown.id DESC
