-- Part of every step of an operation, inserted for `:turn`: the row of the operation $2, locked, if the step $3 is the
-- next one. The fence: a step whose answer was lost is over, and does nothing when it is sent once more; of two at once
-- the second waits here, and then finds that its turn has passed. Index: the primary key of messenger_audit.
SELECT id FROM :"schema".messenger_audit WHERE id = $2 AND steps = $3 AND ended_at IS NULL FOR UPDATE
