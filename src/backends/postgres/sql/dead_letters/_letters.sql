-- Part of list.sql and places.sql, inserted for `:letters`: which dead letters, after the cursor ($10 failed_at, $11 id),
-- newest first. `:fitting` is _fitting.sql.
-- Index: messenger_failed_messages_type where a type is given, messenger_failed_messages_newest otherwise.
FROM :"schema".messenger_failed_messages
WHERE
  :fitting
  AND ($10::timestamptz IS NULL OR (failed_at, id) < ($10, $11::uuid))
ORDER BY failed_at DESC, id DESC
LIMIT $12
