-- Part of a claim, inserted for `:due`: what is due in a lane, locked, oldest first.
--
-- Index: messenger_messages_claim, one range per lane ($6 queue, $7 priority), in the order of the lanes; the loop
-- stops as soon as enough rows are locked, so no lane is read further than needed and what lies in the future is
-- never read at all. A lane may have a floor ($11, $12), below which an earlier claim has left nothing; see floors.rs.
-- Of a transport that is switched off, nothing is due.
-- Paused lanes are not among them, see _lanes.sql; paused types are passed over, and lie below the floor then.
FROM :"schema".messenger_messages_pending m
WHERE m.transport_name = $10
  AND m.queue_name = lane.queue_name
  AND m.priority = lane.priority
  AND m.available_at <= now()
  AND (m.available_at, m.id)
    > (least(coalesce(lane.floor_at, '-infinity'), now() - interval '2 seconds'), lane.floor_id)
  AND m.crash_count = 0
  AND ($8::text[] IS NULL OR m.message_type = ANY ($8))
  :asking
  AND $10 <> ALL (ARRAY(
    :disabled
  ))
  :asked
  AND (lane.paused IS NULL
       OR NOT lane.paused && ARRAY[E'\n' || m.message_type, lane.queue_name || E'\n' || m.message_type])
ORDER BY m.available_at, m.id
LIMIT $9
FOR UPDATE SKIP LOCKED
