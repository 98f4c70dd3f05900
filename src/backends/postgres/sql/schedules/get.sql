-- One schedule by its name, and the database's clock. Answers with one row; the schedule is NULL where there is none.
SELECT now() AS now, s.id, s.version, to_jsonb(s)::text AS record
FROM (VALUES ($1::text)) AS wanted (name)
LEFT JOIN :"schema".messenger_schedules s ON s.name = wanted.name
