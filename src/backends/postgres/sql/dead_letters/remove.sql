-- Deletes dead letters by id.
DELETE FROM :"schema".messenger_failed_messages WHERE id = ANY ($1) RETURNING id
