-- What was counted from $2 to $3, or in the last $1 minutes, by transport, type and queue, as one JSON value: of the newest
-- $4 rows and 400,000 buckets at most (0.2 s), and then from the oldest of these on, `capped`.
--
-- Three hours and less are read from the rows of minutes. Of a longer time the whole hours come from
-- messenger_metrics_hourly, with the minutes that are not in there yet (merge.sql), and only its two ends from minutes, so
-- that it is exact to the minute, whatever is merged meanwhile.
-- Index: the primary keys of both tables, by their first column, and messenger_metrics_not_hourly.
WITH span AS (
  SELECT start, stop, CASE WHEN is_long THEN date_trunc('hour', start + interval '59 minutes', 'UTC') ELSE stop END AS first_hour,
         CASE WHEN is_long THEN date_trunc('hour', stop, 'UTC') ELSE stop END AS last_hour
  FROM (
    SELECT start, stop, stop - start > interval '3 hours' AS is_long
    FROM (SELECT date_trunc('minute', coalesce($2, now() - $1 * interval '1 minute')) AS start,
                 coalesce($3, now()) AS stop) asked
  ) measured
),
newest AS MATERIALIZED (
  SELECT *, hashtextextended(concat_ws(E'\n', transport_name, queue_name, message_type), 0) AS series,
         sum(cardinality(buckets) + cardinality(wait_buckets)) OVER (ORDER BY at DESC ROWS UNBOUNDED PRECEDING) AS total
  FROM (
    (SELECT m.minute AS at, m.transport_name, m.message_type, m.queue_name, m.succeeded::bigint, m.retried::bigint,
            m.dead_lettered::bigint, m.discarded::bigint, m.snoozed::bigint, m.released::bigint, m.duration_ms,
            m.waited_ms, m.buckets, m.counts::bigint[], m.wait_buckets, m.wait_counts::bigint[], m.errors
     FROM span CROSS JOIN LATERAL (
       SELECT * FROM :"schema".messenger_metrics m WHERE m.minute >= span.last_hour AND m.minute < span.stop
       ORDER BY m.minute DESC LIMIT $4) m)
    UNION ALL
    (SELECT date_trunc('hour', m.minute, 'UTC'), m.transport_name, m.message_type, m.queue_name, m.succeeded, m.retried,
            m.dead_lettered, m.discarded, m.snoozed, m.released, m.duration_ms, m.waited_ms, m.buckets, m.counts,
            m.wait_buckets, m.wait_counts, m.errors
     FROM span CROSS JOIN LATERAL (
       SELECT * FROM :"schema".messenger_metrics m
       WHERE NOT m.hourly AND m.minute >= span.first_hour AND m.minute < span.last_hour
       ORDER BY m.minute DESC LIMIT $4) m)
    UNION ALL
    (SELECT h.hour, h.transport_name, h.message_type, h.queue_name, h.succeeded, h.retried, h.dead_lettered, h.discarded,
            h.snoozed, h.released, h.duration_ms, h.waited_ms, h.buckets, h.counts, h.wait_buckets, h.wait_counts, h.errors
     FROM span CROSS JOIN LATERAL (
       SELECT * FROM :"schema".messenger_metrics_hourly h
       WHERE h.hour >= span.first_hour AND h.hour < span.last_hour
       ORDER BY h.hour DESC LIMIT $4) h)
    UNION ALL
    (SELECT m.minute, m.transport_name, m.message_type, m.queue_name, m.succeeded, m.retried, m.dead_lettered,
            m.discarded, m.snoozed, m.released, m.duration_ms, m.waited_ms, m.buckets, m.counts, m.wait_buckets,
            m.wait_counts, m.errors
     FROM span CROSS JOIN LATERAL (
       SELECT * FROM :"schema".messenger_metrics m WHERE m.minute >= span.start AND m.minute < span.first_hour
       ORDER BY m.minute DESC LIMIT $4) m)
  ) all_tiers
  ORDER BY at DESC
  LIMIT $4
),
chosen AS NOT MATERIALIZED (
  SELECT * FROM newest WHERE total <= 400000
),
seen AS (
  SELECT count(*) >= $4 OR coalesce(max(total), 0) > 400000 AS capped, min(at) FILTER (WHERE total <= 400000) AS oldest FROM newest
),
sums AS (
  SELECT series, min(transport_name) AS transport_name, min(message_type) AS message_type,
         min(queue_name) AS queue_name, sum(succeeded) AS succeeded, sum(retried) AS retried,
         sum(dead_lettered) AS dead_lettered, sum(discarded) AS discarded, sum(snoozed) AS snoozed,
         sum(released) AS released, sum(duration_ms) AS duration_ms, sum(waited_ms) AS waited_ms
  FROM chosen
  GROUP BY series
),
durations AS (
  SELECT series, jsonb_agg(jsonb_build_array(bucket, count)) AS durations
  FROM (
    SELECT series, bucket, sum(count) AS count
    FROM chosen CROSS JOIN LATERAL unnest(buckets, counts) AS h (bucket, count)
    GROUP BY series, bucket
  ) histogram
  GROUP BY series
),
waits AS (
  SELECT series, jsonb_agg(jsonb_build_array(bucket, count)) AS waits
  FROM (
    SELECT series, bucket, sum(count) AS count
    FROM chosen CROSS JOIN LATERAL unnest(wait_buckets, wait_counts) AS h (bucket, count)
    GROUP BY series, bucket
  ) histogram
  GROUP BY series
),
errors AS (
  SELECT series, jsonb_object_agg(class, jsonb_build_object('count', count, 'last', last)) AS errors
  FROM (
    SELECT series, e.key AS class,
           sum((e.value->>'count')::bigint) AS count, max((e.value->>'last')::double precision) AS last
    FROM chosen CROSS JOIN LATERAL jsonb_each(errors) AS e
    WHERE errors <> '{}'
    GROUP BY series, e.key
  ) classes
  GROUP BY series
)
SELECT jsonb_build_object(
  'start', floor(extract(epoch FROM CASE WHEN seen.capped THEN greatest(seen.oldest, span.start) ELSE span.start END) * 1000),
  'end', floor(extract(epoch FROM span.stop) * 1000),
  'capped', seen.capped,
  'rows', coalesce((
    SELECT jsonb_agg(to_jsonb(sums) || jsonb_build_object(
      'durations', coalesce(d.durations, '[]'), 'waits', coalesce(w.waits, '[]'), 'errors', coalesce(e.errors, '{}')))
    FROM sums
    LEFT JOIN durations d USING (series)
    LEFT JOIN waits w USING (series)
    LEFT JOIN errors e USING (series)
  ), '[]')
)::text AS counted
FROM span, seen
