-- Failed runs by type and class of their error, the latest first: of type $1, in state $2, either of which may be NULL, and
-- $3 of them at most. Those that were merged, and those of the newest 20,000 rows that were not (counts/merge.sql), in one
-- snapshot. One that was resolved is open again once it was seen later. Of the groups 1,000 are examined.
-- Index: messenger_metrics_not_hourly, messenger_error_groups_latest, and the primary key of messenger_error_groups.
WITH fresh AS MATERIALIZED (
  SELECT m.message_type, e.key AS error_class, min(m.minute) AS first_at,
         to_timestamp(max((e.value->>'last')::double precision) / 1000) AS last_at,
         sum((e.value->>'count')::bigint) AS occurrences
  FROM (
    SELECT message_type, minute, errors FROM :"schema".messenger_metrics WHERE NOT hourly ORDER BY minute DESC LIMIT 20000
  ) m
  CROSS JOIN LATERAL jsonb_each(m.errors) AS e
  WHERE m.errors <> '{}'
  GROUP BY m.message_type, e.key
),
chosen AS (
  SELECT message_type, error_class FROM fresh
  UNION
  (SELECT message_type, error_class FROM :"schema".messenger_error_groups ORDER BY last_at DESC LIMIT 1000)
),
joined AS (
  SELECT chosen.message_type, chosen.error_class, least(known.first_at, fresh.first_at) AS first_at,
         greatest(known.last_at, fresh.last_at) AS last_at,
         coalesce(known.occurrences, 0) + coalesce(fresh.occurrences, 0) AS occurrences,
         CASE WHEN known.state = 'resolved' AND fresh.last_at > known.state_at THEN 'open'
              ELSE coalesce(known.state, 'open') END AS state,
         known.state_at, known.note
  FROM chosen
  LEFT JOIN fresh USING (message_type, error_class)
  LEFT JOIN LATERAL (
    SELECT * FROM :"schema".messenger_error_groups g
    WHERE g.message_type = chosen.message_type AND g.error_class = chosen.error_class LIMIT 1) known ON true
  WHERE $1::text IS NULL OR chosen.message_type = $1
)
SELECT message_type, error_class, first_at, last_at, occurrences::bigint, state, state_at, note
FROM joined
WHERE $2::text IS NULL OR state = $2
ORDER BY last_at DESC, message_type, error_class
LIMIT $3
