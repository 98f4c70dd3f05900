-- Part of list.sql and places.sql, inserted for `:letters`: which dead letters, after the cursor ($9
-- failed_at, $10 id), newest first. Every filter may be NULL.
-- Index: messenger_failed_messages_type where a type is given, messenger_failed_messages_newest otherwise.
FROM :"schema".messenger_failed_messages
WHERE ($1::text IS NULL OR message_type = $1)
  AND ($2::text IS NULL OR transport_name = $2)
  AND ($3::text IS NULL OR queue_name = $3)
  AND ($4::text IS NULL OR error_class = $4)
  AND ($5::text IS NULL OR position(lower($5) IN lower(error)) > 0 OR position(lower($5) IN lower(body::text)) > 0)
  AND ($6::timestamptz IS NULL OR failed_at >= $6)
  AND ($7::timestamptz IS NULL OR failed_at <= $7)
  AND ($8::uuid[] IS NULL OR id = ANY ($8))
  AND ($9::timestamptz IS NULL OR (failed_at, id) < ($9, $10::uuid))
ORDER BY failed_at DESC, id DESC
LIMIT $11
