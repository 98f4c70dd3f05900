-- The worker leaves. Its row stays while a message is still held under it, so that the lease can run out. Whether one is
-- has no index, and would be the only thing to need it: a worker that has settled all that it claimed says so ($2), and
-- the table is not read (112 ms after 200,000 messages of 1 KiB).
DELETE FROM :"schema".messenger_workers w
WHERE w.id = $1
  AND ($2 OR NOT EXISTS (SELECT FROM :"schema".messenger_messages_processing held WHERE held.worker_id = $1))
