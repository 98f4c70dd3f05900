-- Part of every step of an operation, inserted for `:noted`: moves its row on, by what has been `acted` on of the messages
-- $1, to the place $4, or to its end if $5 says that this was the last step.
UPDATE :"schema".messenger_audit a
SET steps = a.steps + 1,
    cursor = $4,
    done = a.done + (SELECT count(*) FROM acted),
    skipped = a.skipped + cardinality($1) - (SELECT count(*) FROM acted),
    updated_at = now(),
    ended_at = CASE WHEN $5 THEN now() END,
    ended = CASE WHEN $5 THEN 'completed' END
FROM turn
WHERE a.id = turn.id
