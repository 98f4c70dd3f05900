-- Which of the messages $2 of the transport $1 have been answered: they are buried, or parked to run again. One that
-- somebody holds is not: that one is publishing it, and takes it out of the parking when the broker has it.
--
-- Index: the primary key, see unpark.sql, and messenger_failed_messages_carried.
SELECT id FROM :"schema".messenger_parked
WHERE id = ANY ($2) AND transport_name || '' = $1 AND held_by IS NULL
UNION ALL
SELECT message_id FROM :"schema".messenger_failed_messages
WHERE transport_name = $1 AND message_id = ANY ($2) AND carried
