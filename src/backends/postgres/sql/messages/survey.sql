-- Which queues of the transports $1 are not empty, and whether a suspect is due in them, in one of the queues $2 and of
-- one of the types $3 (NULL: any), which nobody has paused. messenger_messages_suspect has no entry while there are no
-- suspects. Hops from queue to queue along messenger_messages_claim (a loose index scan), so its cost is the number of
-- queues, not of messages. Backwards: at the end of a queue lies what came last, at its beginning the index entries of
-- all that was taken since the last vacuum (33 ms for 400,000 of them).
-- Says at which version the schema is, by the primary key of messenger_migrations: nothing is claimed below the one that
-- this build needs, because handlers would run whose outcomes could not be written.
SELECT held.queues,
       EXISTS (SELECT FROM :"schema".messenger_messages_pending m
               WHERE m.transport_name = asked.name AND m.crash_count > 0 AND m.available_at <= now()
                 AND ($2::text[] IS NULL OR m.queue_name = ANY ($2))
                 AND ($3::text[] IS NULL OR m.message_type = ANY ($3))
                 AND
                   :unpaused
              ) AS suspects,
       (SELECT coalesce(max(version), 0) FROM :"schema".messenger_migrations) AS version
FROM unnest($1::text[]) WITH ORDINALITY AS asked (name, place)
CROSS JOIN LATERAL (
  WITH RECURSIVE queue AS (
    (SELECT queue_name FROM :"schema".messenger_messages_pending
     WHERE transport_name = asked.name ORDER BY queue_name DESC LIMIT 1)
    UNION ALL
    SELECT (SELECT m.queue_name FROM :"schema".messenger_messages_pending m
            WHERE m.transport_name = asked.name AND m.queue_name < queue.queue_name
            ORDER BY m.queue_name DESC LIMIT 1)
    FROM queue WHERE queue.queue_name IS NOT NULL
  )
  SELECT coalesce(array_agg(queue_name ORDER BY queue_name) FILTER (WHERE queue_name IS NOT NULL), '{}') AS queues
  FROM queue
) held
ORDER BY asked.place
