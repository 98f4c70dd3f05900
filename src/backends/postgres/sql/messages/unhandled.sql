-- Waiting messages whose type has no handler here, by type, among the first $3 due messages of the transport.
SELECT message_type, queue_name, count(*) AS count
FROM (
  SELECT message_type, queue_name
  FROM :"schema".messenger_messages_pending
  WHERE transport_name = $1 AND available_at <= now()
  LIMIT $3
) waiting
WHERE message_type <> ALL ($2::text[])
GROUP BY message_type, queue_name
ORDER BY message_type, queue_name
