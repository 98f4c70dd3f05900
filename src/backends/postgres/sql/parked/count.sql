-- How many messages of the transport $1 are parked in each queue: due, and waiting for their time. The first $2 of
-- either are counted, whatever their queue. Index: messenger_parked_due.
SELECT queue_name, count(*) FILTER (WHERE is_due), count(*) FILTER (WHERE NOT is_due)
FROM (
  (SELECT queue_name, true AS is_due FROM :"schema".messenger_parked
   WHERE transport_name = $1 AND due_at <= now() ORDER BY due_at, id LIMIT $2)
  UNION ALL
  (SELECT queue_name, false FROM :"schema".messenger_parked
   WHERE transport_name = $1 AND due_at > now() ORDER BY due_at, id LIMIT $2)
) first
GROUP BY queue_name
ORDER BY queue_name
