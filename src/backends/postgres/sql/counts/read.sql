-- What was counted from $2 to $3, or in the last $1 minutes, by transport and type, as one JSON value.
-- Index: the primary key of messenger_metrics, by its first column.
WITH span AS (
  SELECT date_trunc('minute', coalesce($2, now() - $1 * interval '1 minute')) AS start, coalesce($3, now()) AS stop
),
chosen AS MATERIALIZED (
  SELECT m.* FROM :"schema".messenger_metrics m, span WHERE m.minute >= span.start AND m.minute < span.stop
),
sums AS (
  SELECT transport_name, message_type,
         sum(succeeded) AS succeeded, sum(retried) AS retried, sum(dead_lettered) AS dead_lettered,
         sum(discarded) AS discarded, sum(snoozed) AS snoozed, sum(released) AS released,
         sum(duration_ms) AS duration_ms, sum(waited_ms) AS waited_ms
  FROM chosen
  GROUP BY transport_name, message_type
),
durations AS (
  SELECT transport_name, message_type, jsonb_agg(jsonb_build_array(bucket, count)) AS durations
  FROM (
    SELECT transport_name, message_type, bucket, sum(count) AS count
    FROM chosen CROSS JOIN LATERAL unnest(buckets, counts) AS h (bucket, count)
    GROUP BY transport_name, message_type, bucket
  ) histogram
  GROUP BY transport_name, message_type
),
errors AS (
  SELECT transport_name, message_type, jsonb_object_agg(class, jsonb_build_object('count', count, 'last', last)) AS errors
  FROM (
    SELECT transport_name, message_type, e.key AS class,
           sum((e.value->>'count')::bigint) AS count, max((e.value->>'last')::double precision) AS last
    FROM chosen CROSS JOIN LATERAL jsonb_each(errors) AS e
    WHERE errors <> '{}'
    GROUP BY transport_name, message_type, e.key
  ) classes
  GROUP BY transport_name, message_type
)
SELECT jsonb_build_object(
  'start', floor(extract(epoch FROM span.start) * 1000),
  'end', floor(extract(epoch FROM span.stop) * 1000),
  'rows', coalesce((
    SELECT jsonb_agg(to_jsonb(sums) || jsonb_build_object(
      'durations', coalesce(d.durations, '[]'), 'errors', coalesce(e.errors, '{}')))
    FROM sums
    LEFT JOIN durations d USING (transport_name, message_type)
    LEFT JOIN errors e USING (transport_name, message_type)
  ), '[]')
)::text AS counted
FROM span
