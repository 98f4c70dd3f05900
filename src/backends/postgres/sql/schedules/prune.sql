-- Deletes the schedules of a group of code that are no longer in it. What came from elsewhere stays.
DELETE FROM :"schema".messenger_schedules WHERE code_group = $1 AND NOT (name = ANY ($2::text[])) RETURNING name
