-- One schedule by its name, and the database's clock. Returns one row; the schedule is NULL if it does not exist.
SELECT now() AS now, s.id, s.version, to_jsonb(s)::text AS record
FROM (VALUES ($1::text)) AS wanted (name)
LEFT JOIN :"schema".messenger_schedules s ON s.name = wanted.name
