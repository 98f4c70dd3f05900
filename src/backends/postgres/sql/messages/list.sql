-- One page of messages, newest first, from before the cursor $10, in one of the states $1: all that they hold if $14 says
-- so, else outlines. Every other filter may be NULL. $13 are the jsonpaths of a query, see search.rs, one for each document in their order.
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
    AND ($2::text IS NULL OR transport_name = $2)
    AND ($3::text IS NULL OR queue_name = $3)
    AND ($4::text IS NULL OR message_type = $4)
    AND ($5::smallint IS NULL OR priority = $5)
    AND ($6::text IS NULL OR position(lower($6) IN lower(body::text)) > 0
         OR position(lower($6) IN lower(last_error)) > 0)
    AND ($7::timestamptz IS NULL OR created_at >= $7)
    AND ($8::timestamptz IS NULL OR created_at <= $8)
    AND ($13[1] IS NULL OR to_jsonb(id) @@ $13[1]::jsonpath)
    AND ($13[2] IS NULL OR to_jsonb(message_type) @@ $13[2]::jsonpath)
    AND ($13[3] IS NULL OR to_jsonb(transport_name) @@ $13[3]::jsonpath)
    AND ($13[4] IS NULL OR to_jsonb(queue_name) @@ $13[4]::jsonpath)
    AND ($13[5] IS NULL OR to_jsonb(status) @@ $13[5]::jsonpath)
    AND ($13[6] IS NULL OR to_jsonb(priority) @@ $13[6]::jsonpath)
    AND ($13[7] IS NULL OR to_jsonb(retry_count) @@ $13[7]::jsonpath)
    AND ($13[8] IS NULL OR to_jsonb(crash_count) @@ $13[8]::jsonpath)
    AND ($13[9] IS NULL OR coalesce(to_jsonb(idempotency_key), 'null') @@ $13[9]::jsonpath)
    AND ($13[10] IS NULL OR coalesce(error_history -> -1 -> 'class', 'null') @@ $13[10]::jsonpath)
    AND ($13[11] IS NULL OR coalesce(to_jsonb(last_error), 'null') @@ $13[11]::jsonpath)
    AND ($13[12] IS NULL
         OR jsonb_build_object('at', extract(epoch FROM created_at), 'now', extract(epoch FROM now())) @@ $13[12]::jsonpath)
    AND ($13[13] IS NULL
         OR jsonb_build_object('at', extract(epoch FROM processed_at), 'now', extract(epoch FROM now())) @@ $13[13]::jsonpath)
    AND ($13[14] IS NULL OR coalesce(to_jsonb(CASE WHEN status = 'pending' AND available_at <= now()
      THEN extract(epoch FROM now()) - extract(epoch FROM available_at) END), 'null') @@ $13[14]::jsonpath)
    AND ($13[15] IS NULL OR jsonb_build_array(body::text, last_error) @@ $13[15]::jsonpath)
    AND ($13[16] IS NULL OR body @@ $13[16]::jsonpath)
    AND ($13[17] IS NULL OR headers @@ $13[17]::jsonpath)
    AND ($13[18] IS NULL OR metadata @@ $13[18]::jsonpath)
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
