-- Part of count.sql, list.sql and places.sql, inserted for `:seen`: the dead letters of a type, a time and some ids, each
-- of which may be NULL. So many of them are examined, whatever else is asked.
-- Index: messenger_failed_messages_type where a type is given, the primary key for ids, messenger_failed_messages_newest
-- otherwise.
FROM :"schema".messenger_failed_messages
WHERE ($1::text IS NULL OR message_type = $1)
  AND ($6::timestamptz IS NULL OR failed_at >= $6)
  AND ($7::timestamptz IS NULL OR failed_at <= $7)
  AND ($8::uuid[] IS NULL OR id = ANY ($8))
