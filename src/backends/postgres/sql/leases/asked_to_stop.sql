-- Whether somebody has asked the worker $1 to stop; it looks after each heartbeat. Index: the primary key.
SELECT FROM :"schema".messenger_workers WHERE id = $1 AND stop_at IS NOT NULL
