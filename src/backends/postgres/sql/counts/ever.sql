-- What was ever counted, by transport and type, as one JSON value: what was merged, and the rows that were not merged
-- yet. Both in one snapshot, so that no figure falls while they are merged (merge.sql). Time is summed as the whole
-- microseconds of each row, because a sum of fractions depends on its order, and might fall by the last digit.
-- Index: messenger_metrics_unmerged. messenger_totals has one row per type.
WITH parts AS MATERIALIZED (
  SELECT transport_name, message_type, succeeded, retried, dead_lettered, discarded, snoozed, released,
         duration_us, waited_us, buckets, counts
  FROM :"schema".messenger_totals
  UNION ALL
  SELECT transport_name, message_type, succeeded, retried, dead_lettered, discarded, snoozed, released,
         round(duration_ms * 1000)::bigint, round(waited_ms * 1000)::bigint, buckets, counts::bigint[]
  FROM :"schema".messenger_metrics
  WHERE NOT merged
),
sums AS (
  SELECT transport_name, message_type,
         sum(succeeded) AS succeeded, sum(retried) AS retried, sum(dead_lettered) AS dead_lettered,
         sum(discarded) AS discarded, sum(snoozed) AS snoozed, sum(released) AS released,
         sum(duration_us) AS duration_us, sum(waited_us) AS waited_us
  FROM parts
  GROUP BY transport_name, message_type
),
durations AS (
  SELECT transport_name, message_type, jsonb_agg(jsonb_build_array(bucket, count)) AS durations
  FROM (
    SELECT transport_name, message_type, bucket, sum(count) AS count
    FROM parts CROSS JOIN LATERAL unnest(buckets, counts) AS h (bucket, count)
    GROUP BY transport_name, message_type, bucket
  ) histogram
  GROUP BY transport_name, message_type
)
SELECT coalesce(jsonb_agg(to_jsonb(sums) || jsonb_build_object('durations', coalesce(d.durations, '[]'))), '[]')::text
       AS totals
FROM sums
LEFT JOIN durations d USING (transport_name, message_type)
