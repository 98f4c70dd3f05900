-- Which of these messages ($1) the worker $3 no longer holds under these tokens ($2): they were rescued, and others may
-- have them. Asked only after a worker was declared dead.
--
-- Index: the primary key of messenger_messages_processing, once per message.
SELECT claim.id
FROM unnest($1::uuid[], $2::uuid[]) AS claim (id, token)
WHERE NOT EXISTS (
  SELECT FROM :"schema".messenger_messages_processing held
  WHERE held.worker_id = $3 AND held.id = claim.id AND held.locked_by = claim.token)
