-- Merges the rows of several consumers about one minute into one, at most $1 rows at a time: fifty invocations per
-- minute leave fifty rows, which nobody needs separately once they are not written any more (settlements/_count.sql).
-- What is merged is added to the totals in the same statement, so that what is read of both never falls (ever.sql). In
-- the order of the key, so that two merges wait for each other and cannot end in a deadlock.
-- Index: messenger_metrics_unmerged; the primary key of messenger_totals.
WITH old AS (
  DELETE FROM :"schema".messenger_metrics
  WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM :"schema".messenger_metrics
    WHERE NOT merged AND minute < now() - interval '1 hour'
    ORDER BY minute LIMIT $1 FOR UPDATE SKIP LOCKED))
  RETURNING *
),
durations AS (
  SELECT minute, transport_name, message_type,
         array_agg(bucket ORDER BY bucket) AS buckets, array_agg(count ORDER BY bucket) AS counts
  FROM (
    SELECT minute, transport_name, message_type, bucket, sum(count)::integer AS count
    FROM old CROSS JOIN LATERAL unnest(buckets, counts) AS h (bucket, count)
    GROUP BY minute, transport_name, message_type, bucket
  ) histogram
  GROUP BY minute, transport_name, message_type
),
errors AS (
  SELECT minute, transport_name, message_type,
         jsonb_object_agg(class, jsonb_build_object('count', count, 'last', last)) AS errors
  FROM (
    SELECT minute, transport_name, message_type, e.key AS class,
           sum((e.value->>'count')::bigint) AS count, max((e.value->>'last')::double precision) AS last
    FROM old CROSS JOIN LATERAL jsonb_each(errors) AS e
    WHERE errors <> '{}'
    GROUP BY minute, transport_name, message_type, e.key
  ) classes
  GROUP BY minute, transport_name, message_type
),
sums AS (
  SELECT minute, transport_name, message_type,
         sum(succeeded) AS succeeded, sum(retried) AS retried, sum(dead_lettered) AS dead_lettered,
         sum(discarded) AS discarded, sum(snoozed) AS snoozed, sum(released) AS released,
         sum(duration_ms) AS duration_ms, sum(waited_ms) AS waited_ms, count(*) AS rows
  FROM old
  GROUP BY minute, transport_name, message_type
),
merged AS (
  INSERT INTO :"schema".messenger_metrics
    (minute, source, transport_name, message_type, succeeded, retried, dead_lettered, discarded, snoozed, released,
     duration_ms, waited_ms, buckets, counts, errors, merged)
  SELECT minute, gen_random_uuid(), transport_name, message_type, succeeded, retried, dead_lettered, discarded, snoozed,
         released, duration_ms, waited_ms, coalesce(d.buckets, '{}'), coalesce(d.counts, '{}'),
         coalesce(e.errors, '{}'), true
  FROM sums
  LEFT JOIN durations d USING (minute, transport_name, message_type)
  LEFT JOIN errors e USING (minute, transport_name, message_type)
),
added AS (
  SELECT transport_name, message_type,
         sum(succeeded) AS succeeded, sum(retried) AS retried, sum(dead_lettered) AS dead_lettered,
         sum(discarded) AS discarded, sum(snoozed) AS snoozed, sum(released) AS released,
         sum(round(duration_ms * 1000)::bigint) AS duration_us, sum(round(waited_ms * 1000)::bigint) AS waited_us
  FROM old
  GROUP BY transport_name, message_type
),
added_durations AS (
  SELECT transport_name, message_type,
         array_agg(bucket ORDER BY bucket) AS buckets, array_agg(count ORDER BY bucket) AS counts
  FROM (
    SELECT transport_name, message_type, bucket, sum(count) AS count
    FROM old CROSS JOIN LATERAL unnest(buckets, counts) AS h (bucket, count)
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
