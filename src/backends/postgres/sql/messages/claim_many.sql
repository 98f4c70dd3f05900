-- Claims many messages: as claim.sql, but those that come after some 64 MiB of text stay, and the last column says that
-- there are any.
--
-- How long the text of a body will be is estimated from what is stored, without reading it: pglz compresses 90 times at
-- most, lz4 255 times, and `jsonb` has half the bytes of its text or more, unless that is numbers such as 1e308. 2 MiB
-- is more than a body can have with the default payload.maxBytes, so that at least 32 always fit.
-- If nothing is compressed and all of it fits, that is known from two aggregates; only otherwise is each message looked
-- at once more, and its place in the claim found.
WITH found AS MATERIALIZED (
  SELECT array_agg(head.place) AS places, sum(head.bytes) < 33554432 AND count(head.compression) = 0 AS fits
  FROM (
    SELECT head.place, head.bytes, head.compression
    :lanes
    CROSS JOIN LATERAL (
      SELECT m.ctid AS place, pg_column_size(m.body) AS bytes, pg_column_compression(m.body) AS compression
      :due
    ) head
    LIMIT $9
  ) head
),
kept AS MATERIALIZED (
  SELECT cardinality(places) AS due, CASE WHEN fits THEN places ELSE ARRAY(
    SELECT place
    FROM (
      SELECT head.place, sum(text.bytes) OVER (ROWS UNBOUNDED PRECEDING) - text.bytes < 67108864 AS fits
      FROM unnest(places) AS head (place)
      CROSS JOIN LATERAL (
        SELECT least(
                 2097152,
                 pg_column_size(m.body)
                   * CASE pg_column_compression(m.body) WHEN 'pglz' THEN 90::bigint WHEN 'lz4' THEN 255 ELSE 2 END
               )::int AS bytes
        FROM :"schema".messenger_messages_pending m
        WHERE m.ctid = head.place
      ) text
    ) head
    WHERE fits
  ) END AS places
  FROM found
),
moved AS (
  DELETE FROM :"schema".messenger_messages_pending
  WHERE ctid = ANY ((SELECT places FROM kept)::tid[])
  RETURNING *
),
lease AS (
  :lease
)
:take
          , (SELECT cardinality(places) < due FROM kept)
