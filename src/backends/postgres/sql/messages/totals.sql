-- How many messages are finished, by status, how many dead letters there are and how many schedules: counted among the
-- newest $2 of each kind, of transport $1 or of all. Index: messenger_messages_finished_at,
-- messenger_failed_messages_newest.
WITH finished AS (
  SELECT status, transport_name FROM :"schema".messenger_messages_finished ORDER BY processed_at DESC LIMIT $2
),
failed AS (
  SELECT transport_name FROM :"schema".messenger_failed_messages ORDER BY failed_at DESC, id DESC LIMIT $2
),
counted AS (
  SELECT count(*) AS looked_at,
         count(*) FILTER (WHERE status = 'completed' AND (transport_name = $1) IS NOT FALSE) AS completed,
         count(*) FILTER (WHERE status = 'discarded' AND (transport_name = $1) IS NOT FALSE) AS discarded,
         count(*) FILTER (WHERE status = 'cancelled' AND (transport_name = $1) IS NOT FALSE) AS cancelled
  FROM finished
),
buried AS (
  SELECT count(*) AS looked_at, count(*) FILTER (WHERE (transport_name = $1) IS NOT FALSE) AS failed FROM failed
)
SELECT completed, discarded, cancelled, failed,
       (SELECT count(*) FROM (SELECT FROM :"schema".messenger_schedules
          WHERE enabled AND next_run_at IS NOT NULL AND (transport_name = $1) IS NOT FALSE LIMIT $2) planned),
       counted.looked_at >= $2 OR buried.looked_at >= $2
FROM counted, buried
