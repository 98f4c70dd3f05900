-- Takes the messages $2 of the transport $1 out of the parking, that the broker has now.
--
-- Index: the primary key. Written like this, the transport cannot be looked up in messenger_parked_due, which a plan that
-- is made while the table is empty would do: it reads all that is parked. Fence: the token $3. One that was taken by
-- another relay meanwhile is that one's, and one that was parked anew is another run of the message, which must not go
-- with the one before.
DELETE FROM :"schema".messenger_parked
WHERE id = ANY ($2) AND transport_name || '' = $1 AND held_by = $3
RETURNING id
