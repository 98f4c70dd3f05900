-- Claims many messages: as claim.sql, but those that come after some 64 MiB of text stay, and the last column says that
-- there are any.
--
-- How long the text of a body will be is estimated from what is stored, without reading it: pglz compresses 90 times at
-- most, lz4 255 times, and `jsonb` has half the bytes of its text or more, unless that is numbers such as 1e308. 2 MiB
-- is more than a body can have with the default payload.maxBytes, so that at least 32 always fit.
-- If the claim fits, as nearly always, that costs one sum; only otherwise is each message's place in it found.
WITH found AS MATERIALIZED (
  SELECT array_agg(head.place) AS places, array_agg(head.bytes) AS sizes, sum(head.bytes) < 67108864 AS fits
  FROM (
    SELECT head.place, head.bytes
    FROM unnest($6::text[], $7::smallint[], $11::timestamptz[], $12::uuid[])
      AS lane (queue_name, priority, floor_at, floor_id)
    CROSS JOIN LATERAL (
      SELECT m.ctid AS place,
             least(
               2097152,
               pg_column_size(m.body)
                 * CASE pg_column_compression(m.body) WHEN 'pglz' THEN 90::bigint WHEN 'lz4' THEN 255 ELSE 2 END
             )::int AS bytes
      :due
    ) head
    LIMIT $9
  ) head
),
moved AS (
  DELETE FROM :"schema".messenger_messages_pending
  WHERE ctid = ANY ((
    SELECT CASE WHEN fits THEN places ELSE ARRAY(
      SELECT place
      FROM (SELECT place, sum(bytes) OVER (ROWS UNBOUNDED PRECEDING) - bytes < 67108864 AS fits
            FROM unnest(places, sizes) AS each (place, bytes)) head
      WHERE head.fits
    ) END
    FROM found
  )::tid[])
  RETURNING *
),
lease AS (
  :lease
)
:take
          , (SELECT NOT fits FROM found)
