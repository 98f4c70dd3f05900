-- Merges the rows of several consumers about one minute into one, at most $1 rows at a time: fifty invocations per
-- minute leave fifty rows, which nobody needs separately once they are not written any more (settlements/_count.sql).
-- What is merged is added to its hour and to the groups of its errors, and what was not merged by a build from before
-- 0012, which adds to no hour, to the totals: in the same statement, so that no figure that is read of both falls
-- (ever.sql, read.sql). In the order of each key, so that two merges wait for each other and cannot end in a deadlock.
-- A row of an hour names its 50 most frequent classes of errors, and counts the rest as `other`: classes come from
-- outside.
-- Index: messenger_metrics_not_hourly; the primary keys of the others.
WITH old AS MATERIALIZED (
  DELETE FROM :"schema".messenger_metrics
  WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM :"schema".messenger_metrics
    WHERE NOT hourly AND minute < now() - interval '35 minutes'
    ORDER BY minute LIMIT $1 FOR UPDATE SKIP LOCKED))
  RETURNING *
),
durations AS (
  SELECT minute, transport_name, message_type, queue_name,
         array_agg(bucket ORDER BY bucket) AS buckets, array_agg(count ORDER BY bucket) AS counts
  FROM (
    SELECT minute, transport_name, message_type, queue_name, bucket, sum(count)::integer AS count
    FROM old CROSS JOIN LATERAL unnest(buckets, counts) AS h (bucket, count)
    GROUP BY minute, transport_name, message_type, queue_name, bucket
  ) histogram
  GROUP BY minute, transport_name, message_type, queue_name
),
waits AS (
  SELECT minute, transport_name, message_type, queue_name,
         array_agg(bucket ORDER BY bucket) AS wait_buckets, array_agg(count ORDER BY bucket) AS wait_counts
  FROM (
    SELECT minute, transport_name, message_type, queue_name, bucket, sum(count)::integer AS count
    FROM old CROSS JOIN LATERAL unnest(wait_buckets, wait_counts) AS h (bucket, count)
    GROUP BY minute, transport_name, message_type, queue_name, bucket
  ) histogram
  GROUP BY minute, transport_name, message_type, queue_name
),
classes AS MATERIALIZED (
  SELECT minute, transport_name, message_type, queue_name, e.key AS class,
         sum((e.value->>'count')::bigint) AS count, max((e.value->>'last')::double precision) AS last
  FROM old CROSS JOIN LATERAL jsonb_each(errors) AS e
  WHERE errors <> '{}'
  GROUP BY minute, transport_name, message_type, queue_name, e.key
),
errors AS (
  SELECT minute, transport_name, message_type, queue_name,
         jsonb_object_agg(class, jsonb_build_object('count', count, 'last', last)) AS errors
  FROM classes
  GROUP BY minute, transport_name, message_type, queue_name
),
sums AS MATERIALIZED (
  SELECT minute, transport_name, message_type, queue_name, succeeded, retried, dead_lettered, discarded, snoozed,
         released, duration_ms, waited_ms, coalesce(buckets, '{}') AS buckets, coalesce(counts, '{}') AS counts,
         coalesce(wait_buckets, '{}') AS wait_buckets, coalesce(wait_counts, '{}') AS wait_counts,
         coalesce(errors, '{}') AS errors
  FROM (
    SELECT minute, transport_name, message_type, queue_name,
           sum(succeeded) AS succeeded, sum(retried) AS retried, sum(dead_lettered) AS dead_lettered,
           sum(discarded) AS discarded, sum(snoozed) AS snoozed, sum(released) AS released,
           sum(duration_ms) AS duration_ms, sum(waited_ms) AS waited_ms
    FROM old
    GROUP BY minute, transport_name, message_type, queue_name
  ) added
  LEFT JOIN durations USING (minute, transport_name, message_type, queue_name)
  LEFT JOIN waits USING (minute, transport_name, message_type, queue_name)
  LEFT JOIN errors USING (minute, transport_name, message_type, queue_name)
),
merged AS (
  INSERT INTO :"schema".messenger_metrics
    (minute, source, transport_name, message_type, queue_name, succeeded, retried, dead_lettered, discarded, snoozed,
     released, duration_ms, waited_ms, buckets, counts, wait_buckets, wait_counts, errors, merged, hourly)
  SELECT minute, gen_random_uuid(), transport_name, message_type, queue_name, succeeded, retried, dead_lettered,
         discarded, snoozed, released, duration_ms, waited_ms, buckets, counts, wait_buckets, wait_counts, errors, true,
         true
  FROM sums
),
hour_durations AS (
  SELECT hour, transport_name, message_type, queue_name,
         array_agg(bucket ORDER BY bucket) AS buckets, array_agg(count ORDER BY bucket) AS counts
  FROM (
    SELECT date_trunc('hour', minute, 'UTC') AS hour, transport_name, message_type, queue_name, bucket,
           sum(count)::bigint AS count
    FROM sums CROSS JOIN LATERAL unnest(buckets, counts) AS h (bucket, count)
    GROUP BY 1, transport_name, message_type, queue_name, bucket
  ) histogram
  GROUP BY hour, transport_name, message_type, queue_name
),
hour_waits AS (
  SELECT hour, transport_name, message_type, queue_name,
         array_agg(bucket ORDER BY bucket) AS wait_buckets, array_agg(count ORDER BY bucket) AS wait_counts
  FROM (
    SELECT date_trunc('hour', minute, 'UTC') AS hour, transport_name, message_type, queue_name, bucket,
           sum(count)::bigint AS count
    FROM sums CROSS JOIN LATERAL unnest(wait_buckets, wait_counts) AS h (bucket, count)
    GROUP BY 1, transport_name, message_type, queue_name, bucket
  ) histogram
  GROUP BY hour, transport_name, message_type, queue_name
),
hour_errors AS (
  SELECT hour, transport_name, message_type, queue_name,
         jsonb_object_agg(class, jsonb_build_object('count', count, 'last', last)) AS errors
  FROM (
    SELECT hour, transport_name, message_type, queue_name, CASE WHEN place > 50 THEN 'other' ELSE class END AS class,
           sum(count) AS count, max(last) AS last
    FROM (
      SELECT date_trunc('hour', minute, 'UTC') AS hour, transport_name, message_type, queue_name, class, sum(count) AS count,
             max(last) AS last,
             row_number() OVER (PARTITION BY date_trunc('hour', minute, 'UTC'), transport_name, message_type, queue_name
                                ORDER BY sum(count) DESC, class) AS place
      FROM classes
      GROUP BY 1, transport_name, message_type, queue_name, class
    ) ranked
    GROUP BY 1, 2, 3, 4, 5
  ) named
  GROUP BY hour, transport_name, message_type, queue_name
),
hours AS (
  INSERT INTO :"schema".messenger_metrics_hourly AS t
    (hour, transport_name, message_type, queue_name, succeeded, retried, dead_lettered, discarded, snoozed, released,
     duration_ms, waited_ms, buckets, counts, wait_buckets, wait_counts, errors)
  SELECT hour, transport_name, message_type, queue_name, succeeded, retried, dead_lettered, discarded, snoozed, released,
         duration_ms, waited_ms, coalesce(buckets, '{}'), coalesce(counts, '{}'), coalesce(wait_buckets, '{}'),
         coalesce(wait_counts, '{}'), coalesce(errors, '{}')
  FROM (
    SELECT date_trunc('hour', minute, 'UTC') AS hour, transport_name, message_type, queue_name,
           sum(succeeded) AS succeeded, sum(retried) AS retried, sum(dead_lettered) AS dead_lettered,
           sum(discarded) AS discarded, sum(snoozed) AS snoozed, sum(released) AS released,
           sum(duration_ms) AS duration_ms, sum(waited_ms) AS waited_ms
    FROM sums
    GROUP BY 1, transport_name, message_type, queue_name
  ) added
  LEFT JOIN hour_durations USING (hour, transport_name, message_type, queue_name)
  LEFT JOIN hour_waits USING (hour, transport_name, message_type, queue_name)
  LEFT JOIN hour_errors USING (hour, transport_name, message_type, queue_name)
  ORDER BY hour, transport_name, message_type, queue_name
  ON CONFLICT (hour, transport_name, message_type, queue_name) DO UPDATE
  SET succeeded = t.succeeded + excluded.succeeded, retried = t.retried + excluded.retried,
      dead_lettered = t.dead_lettered + excluded.dead_lettered, discarded = t.discarded + excluded.discarded,
      snoozed = t.snoozed + excluded.snoozed, released = t.released + excluded.released,
      duration_ms = t.duration_ms + excluded.duration_ms, waited_ms = t.waited_ms + excluded.waited_ms,
      (buckets, counts) = (
        SELECT coalesce(array_agg(bucket ORDER BY bucket), '{}'), coalesce(array_agg(count ORDER BY bucket), '{}')
        FROM (
          SELECT bucket, sum(count)::bigint AS count
          FROM (SELECT * FROM unnest(t.buckets, t.counts)
                UNION ALL SELECT * FROM unnest(excluded.buckets, excluded.counts)) AS h (bucket, count)
          GROUP BY bucket
        ) histogram),
      (wait_buckets, wait_counts) = (
        SELECT coalesce(array_agg(bucket ORDER BY bucket), '{}'), coalesce(array_agg(count ORDER BY bucket), '{}')
        FROM (
          SELECT bucket, sum(count)::bigint AS count
          FROM (SELECT * FROM unnest(t.wait_buckets, t.wait_counts)
                UNION ALL SELECT * FROM unnest(excluded.wait_buckets, excluded.wait_counts)) AS h (bucket, count)
          GROUP BY bucket
        ) histogram),
      errors = CASE WHEN excluded.errors = '{}' THEN t.errors ELSE (
        SELECT jsonb_object_agg(class, jsonb_build_object('count', count, 'last', last))
        FROM (
          SELECT CASE WHEN place > 50 THEN 'other' ELSE class END AS class, sum(count) AS count, max(last) AS last
          FROM (
            SELECT key AS class, sum((value->>'count')::bigint) AS count, max((value->>'last')::double precision) AS last,
                   row_number() OVER (ORDER BY sum((value->>'count')::bigint) DESC, key) AS place
            FROM (SELECT * FROM jsonb_each(t.errors) UNION ALL SELECT * FROM jsonb_each(excluded.errors)) both_of
            GROUP BY key
          ) ranked
          GROUP BY 1
        ) named) END
),
grouped AS (
  INSERT INTO :"schema".messenger_error_groups AS t (message_type, error_class, first_at, last_at, occurrences)
  SELECT message_type, class, min(minute), greatest(to_timestamp(max(last) / 1000), min(minute)), sum(count)
  FROM classes
  GROUP BY message_type, class
  ORDER BY message_type, class
  ON CONFLICT (message_type, error_class) DO UPDATE
  SET first_at = least(t.first_at, excluded.first_at), last_at = greatest(t.last_at, excluded.last_at),
      occurrences = t.occurrences + excluded.occurrences,
      state = CASE WHEN t.state = 'resolved' AND excluded.last_at > t.state_at THEN 'open' ELSE t.state END
),
added AS (
  SELECT transport_name, message_type,
         sum(succeeded) AS succeeded, sum(retried) AS retried, sum(dead_lettered) AS dead_lettered,
         sum(discarded) AS discarded, sum(snoozed) AS snoozed, sum(released) AS released,
         sum(round(duration_ms * 1000)::bigint) AS duration_us, sum(round(waited_ms * 1000)::bigint) AS waited_us
  FROM old
  WHERE NOT merged
  GROUP BY transport_name, message_type
),
added_durations AS (
  SELECT transport_name, message_type,
         array_agg(bucket ORDER BY bucket) AS buckets, array_agg(count ORDER BY bucket) AS counts
  FROM (
    SELECT transport_name, message_type, bucket, sum(count) AS count
    FROM old CROSS JOIN LATERAL unnest(buckets, counts) AS h (bucket, count)
    WHERE NOT merged
    GROUP BY transport_name, message_type, bucket
  ) histogram
  GROUP BY transport_name, message_type
),
totalled AS (
  INSERT INTO :"schema".messenger_totals AS t
    (transport_name, message_type, succeeded, retried, dead_lettered, discarded, snoozed, released,
     duration_us, waited_us, buckets, counts)
  SELECT transport_name, message_type, succeeded, retried, dead_lettered, discarded, snoozed, released,
         duration_us, waited_us, coalesce(d.buckets, '{}'), coalesce(d.counts, '{}')
  FROM added
  LEFT JOIN added_durations d USING (transport_name, message_type)
  ORDER BY transport_name, message_type
  ON CONFLICT (transport_name, message_type) DO UPDATE
  SET succeeded = t.succeeded + excluded.succeeded, retried = t.retried + excluded.retried,
      dead_lettered = t.dead_lettered + excluded.dead_lettered, discarded = t.discarded + excluded.discarded,
      snoozed = t.snoozed + excluded.snoozed, released = t.released + excluded.released,
      duration_us = t.duration_us + excluded.duration_us, waited_us = t.waited_us + excluded.waited_us,
      (buckets, counts) = (
        SELECT coalesce(array_agg(bucket ORDER BY bucket), '{}'), coalesce(array_agg(count ORDER BY bucket), '{}')
        FROM (
          SELECT bucket, sum(count)::bigint AS count
          FROM (SELECT * FROM unnest(t.buckets, t.counts)
                UNION ALL SELECT * FROM unnest(excluded.buckets, excluded.counts)) AS h (bucket, count)
          GROUP BY bucket
        ) histogram)
)
SELECT 1 FROM old
