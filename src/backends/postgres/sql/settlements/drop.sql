-- Deletes messages that leave no trace (retention.completed is 'none').
--
-- `:count` is _count.sql, `:held` the fence, _held.sql, `:all` what it does when one no longer holds, _all.sql.
WITH counted AS (
  :count
),
settled AS (
  DELETE FROM :"schema".messenger_messages_processing held
  WHERE
    :held
  RETURNING 1
)
SELECT
  :all
