-- What is paused, since longest first. The table has few rows.
SELECT transport_name, queue_name, message_type, actor, reason, since, until
FROM :"schema".messenger_controls
WHERE coalesce(until > now(), true)
ORDER BY since, transport_name, queue_name, message_type
