-- One page of dead letters, newest first: all that they hold if $14 says so, else outlines. `:letters` is _letters.sql.
-- Every row carries the reach. A page ends once its letters hold some 64 MiB of text, `cut`, as in messages/list.sql.
WITH
  :letters
,
sized AS MATERIALIZED (
  SELECT *, sum(bytes) OVER (ORDER BY failed_at DESC, id DESC ROWS UNBOUNDED PRECEDING) - bytes < 67108864 AS fits
  FROM (
    SELECT *, octet_length(headers::text) + octet_length(metadata::text) + octet_length(error)
              + CASE WHEN $14 THEN octet_length(error_history::text) ELSE 0 END
              + least(2097152, pg_column_size(body)
                * CASE pg_column_compression(body) WHEN 'pglz' THEN 90::bigint WHEN 'lz4' THEN 255 ELSE 2 END) AS bytes
    FROM page
  ) measured
)
SELECT (SELECT failed_at FROM reach), (SELECT id FROM reach), (SELECT NOT bool_and(fits) FROM sized) AS cut,
       shown.id, message_id, message_type, transport_name, queue_name, priority,
       CASE WHEN $14 THEN payload.text ELSE left(payload.text, 200) END, octet_length(payload.text),
       CASE WHEN $14 THEN error_history::text END, headers::text, metadata::text, error, error_class, failed_at,
       retry_count, crash_count, created_at, idempotency_key
FROM (SELECT) always
LEFT JOIN sized shown ON shown.fits
LEFT JOIN LATERAL (SELECT shown.body::text AS text OFFSET 0) payload ON true
ORDER BY shown.failed_at DESC, shown.id DESC
