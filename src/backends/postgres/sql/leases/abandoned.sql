-- Whether rescue.sql would find anything: a worker other than $1 whose lease has run out, or messages that are held by
-- nobody. Asked first, because reading the long statement costs the server more than everything else that an
-- invocation begins with, and there is nearly never anything to rescue.
--
-- Index: as in rescue.sql, one probe for each gap between the workers that there are.
SELECT EXISTS (SELECT FROM :"schema".messenger_workers WHERE lease_until < now() AND id <> $1)
    OR EXISTS (
      SELECT
      FROM (SELECT id, lead(id) OVER (ORDER BY id) AS next
            FROM (SELECT id FROM :"schema".messenger_workers
                  UNION VALUES ($1), ('00000000-0000-0000-0000-000000000000'),
                               ('ffffffff-ffff-ffff-ffff-ffffffffffff')) ends) gap
      CROSS JOIN LATERAL (
        SELECT FROM :"schema".messenger_messages_processing m
        WHERE m.worker_id > gap.id AND m.worker_id < gap.next
        ORDER BY m.worker_id
        LIMIT 1) held)
    OR EXISTS (
      SELECT FROM :"schema".messenger_messages_processing
      WHERE worker_id IN ('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff')) AS abandoned
