-- How full a queue ($4 transport, $5 its name; both empty: all together) was from $2 to $3, or in the last $1 minutes: at
-- most 300 points, one for each step of as many whole minutes, the first in it that was noted.
-- Index: the primary key of messenger_depths, one range per step. The sum is the first entry of its minute.
WITH span AS (
  SELECT start, stop, greatest(1, ceil(extract(epoch FROM stop - start) / 60 / 300)) * interval '1 minute' AS step
  FROM (SELECT date_trunc('minute', coalesce($2, now() - $1 * interval '1 minute')) AS start,
               coalesce($3, now()) AS stop) asked
)
SELECT noted.minute, noted.pending, noted.delayed, noted.processing, noted.oldest_ms, noted.capped
FROM span
CROSS JOIN generate_series(0, 299) AS number
CROSS JOIN LATERAL (
  SELECT d.* FROM :"schema".messenger_depths d
  WHERE d.minute >= span.start + number * span.step AND d.minute < least(span.start + (number + 1) * span.step, span.stop)
    AND d.transport_name = $4 AND d.queue_name = $5
  ORDER BY d.minute LIMIT 1) noted
ORDER BY noted.minute
