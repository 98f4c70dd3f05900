-- Part of health checks, inserted for `:unheld`: how many messages are held by nobody, up to 10,000. Found
-- in the gaps between the workers that there are, as in rescue.sql.
SELECT count(*)
FROM (
  SELECT
  FROM (SELECT id, lead(id) OVER (ORDER BY id) AS next
        FROM (SELECT id FROM :"schema".messenger_workers
              UNION ALL VALUES ('00000000-0000-0000-0000-000000000000'::uuid),
                               ('ffffffff-ffff-ffff-ffff-ffffffffffff')) ends) gap
  CROSS JOIN LATERAL (
    (SELECT FROM :"schema".messenger_messages_processing m
     WHERE m.worker_id > gap.id AND m.worker_id < gap.next
     ORDER BY m.worker_id
     LIMIT 10000)
    UNION ALL
    (SELECT FROM :"schema".messenger_messages_processing m
     WHERE m.worker_id = gap.id
       AND gap.id IN ('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff')
     LIMIT 10000)) held
  LIMIT 10000
) capped
