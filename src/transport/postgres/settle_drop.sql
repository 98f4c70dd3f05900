-- Ends messages that leave no trace (retention.completed is 'none').
--
-- Answers with the ids that were still held. `:count` is count.sql, `:held` the fence, held.sql.
WITH counted AS (
  :count
)
DELETE FROM :"schema".messenger_messages_processing held
WHERE
  :held
RETURNING held.id
