-- Ends messages that leave no trace (retention.completed is 'none').
--
-- Index: the primary key of messenger_messages_processing. Fence: (id, locked_by) as given; a message claimed again
-- since is not touched. Answers with the ids that were still held. `:count` is count.sql.
WITH counted AS (
  :count
)
DELETE FROM :"schema".messenger_messages_processing held
WHERE held.id = ANY ($1)
  AND (held.id, held.locked_by) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
RETURNING held.id
