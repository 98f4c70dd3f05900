-- The worker leaves. Its row stays while a message is still held under it, so that the lease can run out.
DELETE FROM :"schema".messenger_workers w
WHERE w.id = $1
  AND NOT EXISTS (SELECT FROM :"schema".messenger_messages_processing held WHERE held.worker_id = $1)
