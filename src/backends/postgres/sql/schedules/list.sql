-- Schedules by name, page by page: the unique index on the name, from where the last page ended.
SELECT to_jsonb(s)::text AS record
FROM :"schema".messenger_schedules s
WHERE ($1::text IS NULL OR s.name > $1)
ORDER BY s.name
LIMIT $2
