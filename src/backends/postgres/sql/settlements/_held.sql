-- Part of every settlement, inserted for `:held`: which messages are settled. $1 has their ids, sorted, and $2, $5 and
-- on in the same order what belongs to them, found by a binary search: a message's place is width_bucket(id, $1).
--
-- Index: the primary key of messenger_messages_processing, in which those of one worker ($4) stand together. Fence:
-- (id, locked_by) as given; a message claimed again since is not touched. No join, so there is one plan whatever the
-- statistics say: a join with unnest() becomes a nested loop once vacuum has seen the table empty, which took 80 ms for
-- 1,000 messages instead of 5.
held.worker_id = $4 AND held.id = ANY ($1) AND held.locked_by = ($2::uuid[])[width_bucket(held.id, $1)]
