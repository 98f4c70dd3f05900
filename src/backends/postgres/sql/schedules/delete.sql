-- Deletes a schedule by its name. Messages that it has dispatched stay.
DELETE FROM :"schema".messenger_schedules WHERE name = $1 RETURNING id
