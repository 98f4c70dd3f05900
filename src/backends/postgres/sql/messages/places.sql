-- The ids of at most $12 messages that wait, newest first, from $9 on and before $10: what an operation acts on. Which ones
-- says `:fits`, _fits.sql, as in list.sql; $1 is their state.
--
-- Index: the primary key of messenger_messages_pending; ids sort by time. No more than $11 messages are examined, whatever
-- the filter: `reach` is the last of them, NULL if fewer are left. The first row carries the reach.
WITH reach AS MATERIALIZED (
  SELECT id FROM :"schema".messenger_messages_pending
  WHERE id >= $9 AND id < $10
  ORDER BY id DESC OFFSET $11 - 1 LIMIT 1
),
page AS (
  SELECT id FROM :"schema".messenger_messages_pending
  WHERE status = $1 AND id >= coalesce((SELECT id FROM reach), $9) AND id < $10
    AND
      :fits
  ORDER BY id DESC LIMIT $12
)
SELECT (SELECT id FROM reach), page.id
FROM (SELECT) always LEFT JOIN page ON true
ORDER BY page.id DESC
