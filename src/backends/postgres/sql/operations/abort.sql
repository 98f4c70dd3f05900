-- Ends an operation that is not over; a step that is under way is over first. Index: the primary key of messenger_audit.
UPDATE :"schema".messenger_audit
SET ended_at = now(), updated_at = now(), ended = 'aborted'
WHERE id = $1 AND ended_at IS NULL
RETURNING
  :entry
